/** Connections within one process: HTTP to the last byte, but no system call for any of them. */
import { Agent } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';

/** What Node's agent and server ask of a socket, and a stream in memory has no use for. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  const unused = { setKeepAlive: same, setNoDelay: same, setTimeout: same, ref: same, unref: same };
  return Object.assign(stream, unused, { remoteAddress: '127.0.0.1' });
}

/** Keeps its connections to `server` in memory; to anywhere else they go over the network. */
export class MemoryAgent extends Agent {
  constructor(private readonly server: { readonly baseUrl: string; accept(connection: Duplex): void }) {
    super({ keepAlive: true });
  }

  override createConnection(...given: Parameters<Agent['createConnection']>): ReturnType<Agent['createConnection']> {
    const [{ host, port }] = given;
    if (`${String(host)}:${String(port)}` !== new URL(this.server.baseUrl).host)
      return super.createConnection(...given);
    const [mine, theirs] = duplexPair();
    // A socket that is gone is gone for both.
    mine.on('close', () => theirs.destroy());
    theirs.on('close', () => mine.destroy());
    this.server.accept(asSocket(theirs));
    return asSocket(mine);
  }
}
