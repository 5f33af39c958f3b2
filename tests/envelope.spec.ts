/** What answers where no view does. What an envelope is, and where, whole-run.spec.ts says of every response. */
import { clause, expect } from '../fixtures/check/clause.js';
import { exactRows, idOf } from './support/responses/exact.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { named } from '../fixtures/check/judging.js';
import { UNKNOWN_ROUTE } from './support/responses/sample-answers.js';

/** Next to the documented ones, whose routers may end in a way of their own. */
const UNKNOWN_OF_AUTH = 'auth/no-such-route/';

clause('ENV-10', async (check) => {
  const { api, raw } = check;
  const { access } = await check.session();
  await check.expectAuthorized(access);
  const below = `${api.path('getKeyword', '1')}no-such-route/`;
  const routes = [
    ...[UNKNOWN_ROUTE, below, UNKNOWN_OF_AUTH].map((path) => ({ method: 'GET', path, body: undefined })),
    // What comes before the router judges writes by themselves, e.g. a protection against CSRF.
    { method: 'POST', path: UNKNOWN_ROUTE, body: {} },
    { method: 'DELETE', path: UNKNOWN_ROUTE, body: undefined },
  ];
  await check.eachRow(
    named(routes, ({ method, path }) => `${method} ${path}`),
    async ({ value: { method, path, body } }) => {
      const reply = await raw(jsonRequest(method, path, body, { access }));
      expect(reply, 'an unknown route, with a good token').toHaveStatus(404);
    },
  );
  // What an envelope is, ENV-03 to ENV-07 say of every answer; this clause is about the layer that answers here.
});

clause('ENV-11', async (check) => {
  const { api, raw, session, expectAuthorized } = check;
  const { access } = await session();
  const id = idOf(exactRows(await expectAuthorized(access))?.[0]);
  // Not DELETE: a server that takes it would delete the row.
  const routes = [
    { method: 'PUT', path: api.path('listKeywords'), knows: 'GET' },
    ...(id === undefined ? [] : [{ method: 'POST', path: api.path('getKeyword', id), knows: 'GET' }]),
    { method: 'GET', path: api.path('login'), knows: 'POST' },
  ].map((route) => ({ ...route, name: `${route.method} ${route.path}` }));
  await check.eachRow(routes, async ({ method, path, knows }) => {
    const reply = await raw({ method, path, headers: [['authorization', `Bearer ${access}`]] });
    expect(reply, 'with a good token').toHaveStatus(405);
    const allow = reply.header('allow');
    expect(reply, '`Allow`').toSatisfy(
      new RegExp(`\\b${knows}\\b`).test(allow ?? ''),
      `the methods of the route, ${knows} among them`,
      allow === undefined ? 'none' : `“${allow}”`,
    );
    expect(reply, '`Allow`').toSatisfy(
      !new RegExp(`\\b${method}\\b`).test(allow ?? ''),
      'not to name the method that was refused (RFC 9110 §10.2.1)',
      `“${allow ?? ''}”`,
    );
  });
});
