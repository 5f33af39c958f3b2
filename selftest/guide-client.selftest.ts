import { expect, test } from '@playwright/test';
import { GuideClient, LoginNeeded, looksLikeToken, type ClientReply } from '../tests/support/journeys/guide-client.js';
import { encodePart } from '../fixtures/evidence/jwt.js';

const NOW = 1_700_000_000;

function token(exp: number, name: string): string {
  return `${encodePart({ alg: 'HS256' })}.${encodePart({ exp, name })}.c2ln`;
}

function reply(status: number, access?: string, refresh?: string): ClientReply {
  return { status, token: (name) => (name === 'access' ? access : refresh) };
}

function client(
  refreshed: () => ClientReply,
  login = reply(200, token(NOW + 900, 'login'), 'r0'),
): GuideClient<ClientReply> {
  return new GuideClient(
    { login: () => Promise.resolve(login), refresh: () => Promise.resolve(refreshed()) },
    () => NOW,
  );
}

const good = (): ClientReply => reply(200, token(NOW + 900, 'new'), 'r1');

test('refreshes a minute ahead, once, and sends the new token', async () => {
  const guide = client(good);
  guide.use({ access: token(NOW + 59, 'old'), refresh: 'r0' });
  const sent: string[] = [];
  await guide.request((access) => {
    sent.push(access);
    return Promise.resolve(reply(200));
  });
  expect(guide.refreshes).toBe(1);
  expect(sent).toEqual([token(NOW + 900, 'new')]);
});

test('leaves a token alone that has more than a minute', async () => {
  const guide = client(good);
  guide.use({ access: token(NOW + 61, 'old'), refresh: 'r0' });
  await guide.request(() => Promise.resolve(reply(200)));
  expect(guide.refreshes).toBe(0);
});

test('after a 401 it refreshes and tries once more, and then no more', async () => {
  const guide = client(good);
  guide.use({ access: token(NOW + 900, 'old'), refresh: 'r0' });
  let sent = 0;
  const last = await guide.request(() => {
    sent += 1;
    return Promise.resolve(reply(401));
  });
  expect([sent, guide.refreshes, last.status]).toEqual([2, 1, 401]);
});

test('simultaneous requests share one refresh', async () => {
  const guide = client(good);
  guide.use({ access: token(NOW + 900, 'old'), refresh: 'r0' });
  const send = (access: string): Promise<ClientReply> =>
    Promise.resolve(reply(access.includes(encodePart({ exp: NOW + 900, name: 'new' })) ? 200 : 401));
  const replies = await Promise.all(Array.from({ length: 5 }, () => guide.request(send)));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(guide.refreshes).toBe(1);
});

test('a refused refresh asks for a new login, which works', async () => {
  const guide = client(() => reply(401));
  guide.use({ access: token(NOW + 10, 'old'), refresh: 'r0' });
  await expect(guide.request(() => Promise.resolve(reply(200)))).rejects.toThrow(LoginNeeded);
  await expect(guide.request(() => Promise.resolve(reply(200)))).rejects.toThrow('there is no access token');
  await guide.login();
  expect((await guide.request(() => Promise.resolve(reply(200)))).status).toBe(200);
});

test('knows the structure of a token', () => {
  expect(looksLikeToken(token(NOW, 'x'))).toBe(true);
  for (const text of ['', 'a.b.c', 'eyJ9.eyJ9', `${token(NOW, 'x')}.more`])
    expect(looksLikeToken(text), text).toBe(false);
});
