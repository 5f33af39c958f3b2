/**
 * The client that the guide describes: it logs in, refreshes ahead of time and on 401, repeats a request once, and asks for a new login
 * when nothing else helps. Simultaneous requests share one refresh. It knows nothing of the suite: it is handed the calls to make.
 */
import { decode } from '../../../fixtures/evidence/jwt.js';

export interface ClientReply {
  readonly status: number;
  token(name: 'access' | 'refresh'): string | undefined;
}

export interface ClientCalls<R extends ClientReply> {
  login(): Promise<R>;
  refresh(refresh: string): Promise<R>;
}

/** Neither token is good any more: only the user's credentials help. */
export class LoginNeeded<R extends ClientReply> extends Error {
  override readonly name = 'LoginNeeded';
  constructor(
    message: string,
    /** What the server answered. */
    readonly reply?: R,
  ) {
    super(message);
  }
}

/** Seconds before `exp` from which on a token is replaced. */
export const AHEAD_SECONDS = 60;

/** True if the text has the structure of a token and an `exp`: all that a client can tell without the key. */
export function looksLikeToken(token: string): boolean {
  return typeof decode(token)?.claims['exp'] === 'number';
}

export class GuideClient<R extends ClientReply> {
  private access: string | undefined;
  private refreshToken: string | undefined;
  private refreshing: Promise<void> | undefined;
  /** How many refreshes were sent. */
  refreshes = 0;

  /**
   * @param now seconds since the epoch, by the server's clock
   * @param rotates false: refresh returns no new refresh token, and the one presented stays good
   */
  constructor(
    private readonly calls: ClientCalls<R>,
    private readonly now: () => number,
    private readonly rotates = true,
  ) {}

  /** Takes over a pair from elsewhere. */
  use(pair: { readonly access: string; readonly refresh: string }): void {
    this.access = pair.access;
    this.refreshToken = pair.refresh;
  }

  get tokens(): { readonly access: string | undefined; readonly refresh: string | undefined } {
    return { access: this.access, refresh: this.refreshToken };
  }

  /** Forgets both tokens, as a logout does. */
  forget(): void {
    this.access = undefined;
    this.refreshToken = undefined;
  }

  /** @throws LoginNeeded if the server gives no tokens */
  async login(): Promise<R> {
    const reply = await this.calls.login();
    this.take(reply, 'login returned no tokens');
    return reply;
  }

  /**
   * Sends a request with the access token: refreshed first if it is about to end, and once more after a 401.
   * @throws LoginNeeded without a token, or if the refresh is refused
   */
  async request(send: (access: string) => Promise<R>): Promise<R> {
    if (this.access === undefined) throw new LoginNeeded<R>('there is no access token');
    if (this.endsSoon(this.access)) await this.refreshOnce();
    const used = this.access;
    const reply = await send(used);
    if (reply.status !== 401) return reply;
    // Another request may have refreshed meanwhile: then the newer token is worth a try, and no second refresh.
    if (this.access === used) await this.refreshOnce();
    return send(this.access);
  }

  private endsSoon(token: string): boolean {
    const exp = decode(token)?.claims['exp'];
    return typeof exp === 'number' && exp - this.now() < AHEAD_SECONDS;
  }

  /** One refresh for all who ask while it is under way. */
  private refreshOnce(): Promise<void> {
    this.refreshing ??= this.refresh().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async refresh(): Promise<void> {
    if (this.refreshToken === undefined) throw new LoginNeeded<R>('there is no refresh token');
    this.refreshes += 1;
    const presented = this.refreshToken;
    this.take(await this.calls.refresh(presented), 'refresh returned no tokens', this.rotates ? undefined : presented);
  }

  private take(reply: R, otherwise: string, staying?: string): void {
    const access = reply.token('access');
    const refresh = reply.token('refresh') ?? staying;
    if (reply.status >= 300 || access === undefined || refresh === undefined) {
      this.forget();
      throw new LoginNeeded(otherwise, reply);
    }
    this.use({ access, refresh });
  }
}
