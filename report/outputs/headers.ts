/** Which headers of an exchange tell a reader something. */

function anyOf(names: readonly string[]): RegExp {
  return new RegExp(`^(${names.join('|')})$`, 'i');
}

/** Sent by everybody, and of no use to a reader or to a command line. */
export const NOISE = anyOf(['user-agent', 'accept-encoding', 'connection', 'keep-alive', 'host', 'content-length']);

const ABOUT_ACCESS = ['authorization', 'www-authenticate', 'cookie', 'set-cookie', 'origin', 'x-request-id'];
const ABOUT_CONTENT = ['cache-control', 'allow', 'location', 'retry-after', 'strict-transport-security'];

/** Worth showing where nothing failed. */
export const TELLING = anyOf([
  ...ABOUT_ACCESS,
  ...ABOUT_CONTENT,
  ...['content-type', 'x-throttle-.*', 'access-control-.*'],
]);

/** Worth its line on paper. */
export const PRINTED = anyOf([...ABOUT_ACCESS, ...ABOUT_CONTENT, 'access-control-.*']);
