/** How far a run is: one line that is written again and again, or, where the console cannot do that, a line each minute. */
import { duration } from './sentences.js';

const ERASE = '\r\u001b[2K';
const MINUTE = 60_000;
/** Ids of running checks that are shown. */
const SHOWN = 4;

/** Where progress is written. */
export interface Console {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Something that checks wait for, and the milliseconds that are left of it. */
export interface Wait {
  readonly what: string;
  readonly ms: number;
}

export class Progress {
  private total = 0;
  private done = 0;
  private failed = 0;
  private readonly running = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param waits what checks are waiting for, the longest first
   * @param what is counted, in the plural
   */
  constructor(
    private readonly stream: Console,
    private readonly silent: boolean,
    private readonly waits: () => readonly Wait[],
    private readonly what = 'checks',
  ) {}

  begin(total: number): void {
    this.total = total;
    if (this.silent) return;
    this.timer = setInterval(
      () => {
        if (this.stream.isTTY === true) this.show();
        else this.stream.write(`${this.sentence()}\n`);
      },
      this.stream.isTTY === true ? 1000 : MINUTE,
    );
    this.timer.unref();
  }

  started(id: string): void {
    this.running.add(id);
    this.show();
  }

  finished(id: string, failed: boolean): void {
    this.running.delete(id);
    this.done += 1;
    if (failed) this.failed += 1;
    this.show();
  }

  end(): void {
    clearInterval(this.timer);
    if (!this.silent && this.stream.isTTY === true) this.stream.write(ERASE);
  }

  /** `34 of 131 checks done, 1 failed; running EXP-04; waiting for …, 12 min 3 s left`. */
  sentence(): string {
    const [wait] = this.waits();
    const running = [...this.running];
    const more = running.length > SHOWN ? ` and ${String(running.length - SHOWN)} more` : '';
    return [
      `${String(this.done)} of ${String(this.total)} ${this.what} done, ${String(this.failed)} failed`,
      ...(running.length === 0 ? [] : [`running ${running.slice(0, SHOWN).join(', ')}${more}`]),
      ...(wait === undefined ? [] : [`waiting for ${wait.what}, ${duration(wait.ms)} left`]),
    ].join('; ');
  }

  private show(): void {
    if (this.silent || this.stream.isTTY !== true) return;
    // The cursor goes back to the start, so that whatever else is written replaces the line.
    this.stream.write(`${ERASE}${this.sentence()}\r`);
  }
}
