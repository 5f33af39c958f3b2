/** A server in front of another one, for what happens on the way and not in the target. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string;
  close(): Promise<void>;
}

export interface Handling {
  /** Answers a request itself, and returns true if it did. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** What happens on the way before a request is passed on. */
  readonly before?: (request: IncomingMessage) => Promise<void>;
  /** What to send in place of a body. */
  readonly changed?: (body: string) => string;
  /** Sees each answer that is passed on. */
  readonly answered?: (request: IncomingMessage, status: number, body: string) => void;
}

/** @param target any address of the server behind */
export async function startProxy(target: string, { instead, before, changed, answered }: Handling): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (instead?.(request, response) === true) return;
    void (async () => {
      await before?.(request);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const skipped = ['host', 'connection', 'content-length', 'transfer-encoding'];
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => !skipped.includes(name)),
      ) as Record<string, string>;
      const answer = await fetch(`http://${hostname}:${port}${request.url ?? '/'}`, {
        method: request.method ?? 'GET',
        headers,
        redirect: 'manual',
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      });
      const received = await answer.text();
      const body = changed?.(received) ?? received;
      answered?.(request, answer.status, body);
      answer.headers.forEach((value, name) => {
        if (!skipped.includes(name)) response.setHeader(name, value);
      });
      response.writeHead(answer.status).end(body);
    })().catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
