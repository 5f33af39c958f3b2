/** Which headers of an exchange tell a reader something. */

/** Sent or answered by everybody, and of no use to a reader or to a command line. */
export const NOISE = /^(user-agent|accept-encoding|connection|keep-alive|host|content-length)$/i;

/** Worth showing where nothing failed. */
export const TELLING =
  /^(authorization|content-type|www-authenticate|cache-control|allow|location|retry-after|set-cookie|cookie|origin|x-request-id|x-throttle-.*|access-control-.*|strict-transport-security)$/i;
