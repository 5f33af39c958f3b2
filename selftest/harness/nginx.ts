/** A real nginx in front of a server, as a distribution packages it: its own prefix, logs and port, on loopback, ended by its process. */
import { spawn } from 'node:child_process';
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAMS = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'];
const MODULE = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';
const ENGINE = '/etc/nginx/modsecurity.conf';
const CORE_RULES = ['/etc/modsecurity/crs/crs-setup.conf', '/usr/share/modsecurity-crs/rules'];

/** Milliseconds until it must take connections: the core rules are read at the start. */
const START_MS = 30_000;

const there = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

export interface Nginx {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string;
  /** What it wrote of errors so far, firewall included. */
  errors(): string;
  close(): Promise<void>;
}

/**
 * What is missing on this machine, in words; undefined if nothing is.
 * @param firewall whether ModSecurity and its core rules are needed too
 */
export function nginxMissing(firewall = false): string | undefined {
  if (!PROGRAMS.some(there)) return 'nginx is not installed (apt-get install nginx)';
  if (firewall && ![MODULE, ENGINE, ...CORE_RULES].every(there))
    return 'ModSecurity is not installed (apt-get install libnginx-mod-http-modsecurity modsecurity-crs)';
  return undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** The engine's packaged settings, switched on, and the core rules as packaged. */
function rules(folder: string): string {
  const engine = readFileSync(ENGINE, 'utf8')
    .replace(/^\s*SecRuleEngine .*$/m, 'SecRuleEngine On')
    // Its audit log would hold what the suite sends, passwords among it.
    .replace(/^\s*SecAudit(Engine|Log).*$/gm, '')
    .replace(/^\s*SecUnicodeMapFile .*$/m, '');
  const [setup, folderOfRules] = CORE_RULES;
  const own = join(folder, 'rules.conf');
  writeFileSync(own, `${engine}\nSecAuditEngine Off\nInclude ${setup ?? ''}\nInclude ${folderOfRules ?? ''}/*.conf\n`);
  return own;
}

/**
 * Starts nginx with `proxy_pass` and nothing else, and its module for ModSecurity with the core rules where `firewall` is set.
 * @param target any address of the server behind it
 * @throws Error with its own words if it does not start
 */
export async function startNginx(target: string, { firewall = false } = {}): Promise<Nginx> {
  const missing = nginxMissing(firewall);
  const program = PROGRAMS.find(there);
  if (missing !== undefined || program === undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  mkdirSync(join(folder, 'temp'));
  const port = await freePort();
  const log = join(folder, 'error.log');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, 'temp', name)};`)
    .join('\n  ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${firewall ? `load_module ${MODULE};\n` : ''}daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${log} error;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  ${firewall ? `modsecurity on;\n  modsecurity_rules_file ${rules(folder)};` : ''}
  server {
    listen 127.0.0.1:${String(port)};
    location / { proxy_pass ${new URL(target).origin}; }
  }
}
`,
  );
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', log], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      resolve();
    });
    child.on('error', (error) => {
      said += error.message;
      resolve();
    });
  });
  const origin = `http://127.0.0.1:${String(port)}`;
  const errors = (): string => (there(log) ? readFileSync(log, 'utf8') : '') + said;
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_MS;
  const gone = ended.then(() => true);
  for (;;) {
    const up = await Promise.race([
      gone.then(() => undefined),
      fetch(origin, { redirect: 'manual' }).then(
        () => true,
        () => false,
      ),
    ]);
    if (up === true) return { origin, errors, close };
    const left = up === undefined || Date.now() > deadline;
    if (left) {
      const words = errors();
      await close();
      throw new Error(`nginx did not start: ${words}`);
    }
    // It says nothing when it is ready: the next try is the event.
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}
