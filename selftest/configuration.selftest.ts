import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { generate } from 'selfsigned';
import { maskedConfiguration, PlainError, readConfiguration } from '../fixtures/setup/configuration.js';
import { describeTarget } from '../fixtures/setup/describe-target.js';
import { environmentNotes, loadEnvironment } from '../fixtures/setup/environment.js';
import type { Target } from '../fixtures/run/target.js';
import { runSuite } from './harness/command-line.js';

const BASE = { BASE_URL: 'http://127.0.0.1:9/api/v1/' };

function target(env: Record<string, string>): Target {
  return describeTarget(readConfiguration({ ...BASE, ...env }), undefined, {});
}

/** The one message of an environment that cannot be used. */
function fault(env: Record<string, string>): string {
  try {
    readConfiguration(env);
  } catch (error) {
    if (error instanceof PlainError) return error.message;
    throw error;
  }
  return '';
}

/** Files of a key pair, of another one's key, and of a key with a passphrase. */
async function pemFiles(): Promise<Record<'cert' | 'key' | 'otherKey' | 'encrypted' | 'text', string>> {
  const folder = mkdtempSync(join(tmpdir(), 'pem-'));
  const [mine, other] = await Promise.all([generate(), generate()]);
  const contents = {
    cert: mine.cert,
    key: mine.private,
    otherKey: other.private,
    encrypted: mine.private.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'),
    text: 'canary-no-pem',
  };
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => {
      const file = join(folder, `${name}.pem`);
      writeFileSync(file, content);
      return [name, file];
    }),
  ) as Record<keyof typeof contents, string>;
}

test('what a target is described by', async () => {
  const { cert, key } = await pemFiles();
  expect(target({})).toMatchObject({ registerBody: {}, registerEmail: 'conformance-*@example.com', headers: [] });
  expect(
    target({
      IGNY8_REGISTER_BODY: '{"plan":"free","terms":true}',
      IGNY8_REGISTER_EMAIL: 'qa+*@corp.test',
      IGNY8_HEADERS: 'CF-Access-Client-Id: abc.access\n  X-Gateway-Key:  k:1 \r\n\n',
      IGNY8_PROXY: 'proxy.corp.test:3128',
      IGNY8_CLIENT_CERT: cert,
      IGNY8_CLIENT_KEY: key,
      IGNY8_CA: cert,
    }),
  ).toMatchObject({
    registerBody: { plan: 'free', terms: true },
    registerEmail: 'qa+*@corp.test',
    headers: [
      ['CF-Access-Client-Id', 'abc.access'],
      ['X-Gateway-Key', 'k:1'],
    ],
    proxy: 'http://proxy.corp.test:3128',
    clientCertificate: { cert, key },
    ca: cert,
  });
  // Where a variable can have one line only.
  expect(target({ IGNY8_HEADERS: 'A: 1\\nB: 2' }).headers).toEqual([
    ['A', '1'],
    ['B', '2'],
  ]);
});

for (const [name, env, says] of [
  ['a header line without a name', { IGNY8_HEADERS: 'A: 1\ncanary-value' }, /`Name: value` \(line 2 is not\)/],
  ['a bearer of its own', { IGNY8_HEADERS: 'Authorization: Bearer canary-value' }, /without Authorization, in which/],
  ['a header of the suite', { IGNY8_HEADERS: 'content-type: canary-value' }, /without content-type, which the suite/],
  ['a SOCKS proxy', { IGNY8_PROXY: 'socks5://u:canary-value@127.0.0.1:1' }, /HTTP proxy.*SOCKS is not supported/],
  ['an address without a star', { IGNY8_REGISTER_EMAIL: 'qa@corp.test' }, /with one \* in it/],
  ['two stars', { IGNY8_REGISTER_EMAIL: '*@*.test' }, /with one \* in it/],
  ['an array to register with', { IGNY8_REGISTER_BODY: '[]' }, /a JSON object/],
  ['evidence of some kind', { CONFORMANCE_EVIDENCE: 'some' }, /full or shape/],
  ['a file that is not there', { IGNY8_CA: '/nowhere/ca.pem' }, /IGNY8_CA .*cannot be read \(ENOENT\)/],
  ['a certificate without its key', { IGNY8_CLIENT_CERT: __filename }, /IGNY8_CLIENT_KEY is not: they go together/],
] as const) {
  test(`${name}: one line, which quotes nothing secret`, () => {
    expect(fault({ ...BASE, ...env })).toMatch(says);
    expect(fault({ ...BASE, ...env })).not.toContain('canary-value');
  });
}

test('keys that do not fit, that have a passphrase, that are none', async () => {
  const { cert, otherKey, encrypted, text } = await pemFiles();
  const keyed = (key: string): string => fault({ ...BASE, IGNY8_CLIENT_CERT: cert, IGNY8_CLIENT_KEY: key });
  expect(keyed(otherKey)).toMatch(/IGNY8_CLIENT_KEY is not the key of the certificate/);
  expect(keyed(encrypted)).toMatch(/a key without a passphrase/);
  expect(keyed(text)).toMatch(/a PEM file with a private key/);
  expect(keyed(text)).not.toContain('canary-no-pem');
});

test('what is secret stays out of the configuration that reports show', () => {
  const shown = maskedConfiguration({
    IGNY8_HEADERS: 'X-Gateway-Key: canary-value\nB: canary-value',
    IGNY8_PROXY: 'u:canary-value@proxy.test:3128',
    IGNY8_REGISTER_EMAIL: 'qa+*@corp.test',
  });
  expect(shown).toEqual({
    IGNY8_HEADERS: 'set: X-Gateway-Key, B',
    IGNY8_PROXY: 'http://proxy.test:3128',
    IGNY8_REGISTER_EMAIL: 'qa+*@corp.test',
  });
});

for (const [name, value] of [
  ['IGNY8_EMAIL', 'a@example.com'],
  ['IGNY8_JWT_SECRET', 'canary-value'],
  ['IGNY8_FOREIGN_RESOURCE', 'planner/keywords/7/'],
  ['IGNY8_DENIED_SITE', '7'],
  ['IGNY8_HEADERS', 'X-Gateway-Key: canary-value'],
] as const) {
  test(`${name} without BASE_URL is about no embedded target`, () => {
    const says = fault({ [name]: value });
    expect(says).toMatch(new RegExp(`${name} .*BASE_URL is not: set it to the target that (it|they) belongs? to`));
    expect(says).not.toContain('canary-value');
  });
}

test('BASE_URL set and empty in the shell: one sentence, exit 1; empty in .env only: the embedded target', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dotenv-'));
  // What the shell says, .env does not hide.
  writeFileSync(join(folder, '.env'), 'BASE_URL=http://127.0.0.1:9/api/v1/\n');
  const emptied = await runSuite({ BASE_URL: '' }, ['--grep', 'LOG-01'], { cwd: folder });
  expect(emptied.exitCode, emptied.output).toBe(1);
  expect(emptied.output).toMatch(/BASE_URL is set, but empty/);
  expect(emptied.output).not.toMatch(/\n\s+at /);
  // A copy of .env.example.
  writeFileSync(join(folder, '.env'), 'BASE_URL=\nIGNY8_EMAIL=\n');
  const unset = await runSuite({}, ['--grep', 'LOG-01'], { cwd: folder });
  expect(unset.exitCode, unset.output).toBe(0);
  expect(unset.report?.target.embedded).toBe(true);
});

test('what .env cannot set is named, and not set by halves', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'dotenv-')), '.env');
  writeFileSync(file, 'NODE_OPTIONS=--no-warnings\nNODE_EXTRA_CA_CERTS=ca.pem\nIGNY8_BURST=on\nIGNY8_REGISTER=on\n');
  const env: NodeJS.ProcessEnv = { IGNY8_REGISTER: 'off' };
  loadEnvironment(env, file);
  expect(env).toEqual({ NODE_EXTRA_CA_CERTS: 'ca.pem', IGNY8_BURST: 'on', IGNY8_REGISTER: 'off' });
  expect(environmentNotes({})).toEqual([
    expect.stringMatching(/^NODE_OPTIONS stands in \.env/),
    expect.stringMatching(/^NODE_EXTRA_CA_CERTS stands in \.env/),
  ]);
  expect(environmentNotes({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }).at(-1)).toMatch(/no certificate is verified/);
});

test('a proxy for all programs is for no target on this machine', () => {
  process.env['HTTP_PROXY'] = 'http://127.0.0.1:1';
  process.env['NO_PROXY'] = 'inside.test';
  try {
    expect(target({}).proxy).toBeUndefined();
    expect(target({ BASE_URL: 'http://outside.test/' }).proxy).toBe('http://127.0.0.1:1');
    expect(target({ BASE_URL: 'http://inside.test/' }).proxy).toBeUndefined();
    expect(target({ IGNY8_PROXY: '127.0.0.1:2' }).proxy).toBe('http://127.0.0.1:2');
  } finally {
    delete process.env['HTTP_PROXY'];
    delete process.env['NO_PROXY'];
  }
});
