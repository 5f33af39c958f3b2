/** The `error` messages that the guide gives word by word, in whatever language a client asks for (UNA-02, FOR-02). */
import type { Bearer } from '../../../fixtures/check/api.js';
import { expect } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';

interface Asked extends Row {
  readonly ask: () => Promise<Reply>;
}

/** A refused request as it is, and by a client that asks for another language (RFC 9110 §12.5.4). */
export function inLanguages(
  plain: () => Promise<Reply>,
  withHeaders: (headers: NonNullable<Bearer['headers']>) => Promise<Reply>,
): Asked[] {
  return [
    { name: 'no language asked for', ask: plain },
    { name: '`Accept-Language: de`', ask: () => withHeaders([['accept-language', 'de']]) },
  ];
}

export function expectError(reply: Reply, message: string): void {
  expect(reply, 'its `error`').toSatisfy(
    reply.error === message,
    `“${message}”`,
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
}
