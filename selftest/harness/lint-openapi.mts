/** Part of `npm run lint`: the OpenAPI document, by Redocly's linter, which is told to ask nobody on the network. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const linter = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');
const { status } = spawnSync(process.execPath, [linter, 'lint', 'spec/openapi.yaml'], {
  cwd: fileURLToPath(new URL('../../', import.meta.url)),
  env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
