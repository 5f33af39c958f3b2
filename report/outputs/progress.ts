/** One line that is written again and again while checks run; on a console that cannot do that, nothing. */
import type { WriteStream } from 'node:tty';

const ERASE = '\r\u001b[2K';

export class Progress {
  private total = 0;
  private done = 0;
  private failed = 0;
  private readonly running = new Set<string>();
  private readonly silent: boolean;

  constructor(
    private readonly stream: WriteStream,
    silent: boolean,
  ) {
    this.silent = silent || !stream.isTTY;
  }

  begin(total: number): void {
    this.total = total;
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

  /** A line that stays, also where progress is not shown. */
  say(line: string): void {
    this.stream.write(`${this.silent ? '' : ERASE}${line}\n`);
    this.show();
  }

  end(): void {
    if (!this.silent) this.stream.write(ERASE);
  }

  private show(): void {
    if (this.silent) return;
    const failed = this.failed > 0 ? `, ${String(this.failed)} failed` : '';
    const running = [...this.running].slice(0, 4).join(' ');
    // The cursor goes back to the start, so that whatever else is written replaces the line.
    this.stream.write(`${ERASE}${String(this.done)}/${String(this.total)}${failed}  ${running}\r`);
  }
}
