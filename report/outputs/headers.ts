/** Which headers of an exchange tell a reader something. */

function anyOf(names: readonly string[]): RegExp {
  return new RegExp(`^(${names.join('|')})$`, 'i');
}

/** Sent by everybody, and of no use to a reader or to a command line. */
export const NOISE = anyOf(['user-agent', 'accept-encoding', 'connection', 'keep-alive', 'host', 'content-length']);

/** Worth showing where nothing failed. */
export const TELLING = anyOf([
  ...['authorization', 'www-authenticate', 'cookie', 'set-cookie', 'origin', 'x-request-id'],
  ...['content-type', 'cache-control', 'allow', 'location', 'retry-after', 'strict-transport-security'],
  ...['x-throttle-.*', 'access-control-.*'],
]);
