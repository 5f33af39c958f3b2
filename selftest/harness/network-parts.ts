/** Real parts of a network, on loopback: a forward proxy, an HTTP server in front of a target, and certificates of a private CA. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Part {
  readonly port: number;
  /** What it logged so far. */
  log(): string;
  close(): Promise<void>;
}

function installed(name: string): string | undefined {
  return ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
    .map((folder) => join(folder, name))
    .find(existsSync);
}

export const TINYPROXY = installed('tinyproxy');
export const NGINX = installed('nginx');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

/** Starts a server on a free port, and waits until it accepts connections. @throws Error with its own words if it ends before */
async function start(
  program: string,
  configure: (port: number, folder: string) => string,
  args: (file: string, folder: string) => readonly string[],
): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'part-'));
  const port = await freePort();
  const file = join(folder, 'part.conf');
  writeFileSync(file, configure(port, folder));
  const child = spawn(program, args(file, folder), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const state = { ended: false };
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const end = new Promise<void>((resolve) =>
    child.on('close', () => {
      state.ended = true;
      resolve();
    }),
  );
  while (!state.ended && !(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 50));
  if (state.ended) throw new Error(`${program} did not start: ${output}`);
  return {
    port,
    log: () => output,
    close: async () => {
      child.kill('SIGTERM');
      await end;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A forward proxy that asks for a user name and password, if any are given, and opens tunnels to the given ports only. */
export function startTinyproxy(options: {
  readonly user?: string;
  readonly password?: string;
  readonly tunnelsTo?: readonly number[];
}): Promise<Part> {
  const { user, password, tunnelsTo = [443] } = options;
  return start(
    TINYPROXY ?? '',
    (port) =>
      [
        `Port ${String(port)}`,
        'Listen 127.0.0.1',
        'Timeout 60',
        'LogLevel Connect',
        'MaxClients 100',
        ...(user === undefined ? [] : [`BasicAuth ${user} ${password ?? ''}`]),
        ...tunnelsTo.map((one) => `ConnectPort ${String(one)}`),
        '',
      ].join('\n'),
    (file) => ['-d', '-c', file],
  );
}

/** nginx in front of `target`. @param server further lines of its `server` block; `tls` its certificate and key */
export function startNginx(
  target: string,
  server: readonly string[],
  tls?: { readonly cert: string; readonly key: string },
): Promise<Part> {
  return start(
    NGINX ?? '',
    (port, folder) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      return `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${String(port)}${tls === undefined ? '' : ' ssl'};
    ${tls === undefined ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`}
    ${server.join('\n    ')}
    location / { proxy_pass ${new URL(target).origin}; proxy_set_header Host $http_host; }
  }
}
`;
    },
    (file, folder) => ['-p', folder, '-c', file],
  );
}

/** PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  remove(): void;
}

/** A CA of our own, a certificate of it for 127.0.0.1, and one for a client. */
export async function privateCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), 'ca-'));
  const ca = await generate([{ name: 'commonName', value: 'Conformance self-test CA' }], {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const signed = { ca: { key: ca.private, cert: ca.cert } };
  const server = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    ...signed,
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const client = await generate([{ name: 'commonName', value: 'conformance' }], {
    ...signed,
    extensions: [{ name: 'extKeyUsage', clientAuth: true }],
  });
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  return {
    ca: file('ca.pem', ca.cert),
    server: { cert: file('server.pem', server.cert), key: file('server.key', server.private) },
    client: { cert: file('client.pem', client.cert), key: file('client.key', client.private) },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A line of a key file that is in no other. */
export function lineOf(keyFile: string): string {
  return (
    readFileSync(keyFile, 'utf8')
      .split(/\r?\n/)
      .find((line, i) => i > 2 && line.length > 30) ?? ''
  );
}
