/** What a command costs: the processor time of all its Node processes, and the time by the clock. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Cost {
  /** Seconds of the processor, user and system. */
  readonly processor: number;
  /** Seconds by the clock. */
  readonly wall: number;
}

/** Environment of a command whose processes write what they cost into a file as they end; one that is killed writes nothing. */
export class Meter {
  private readonly folder = mkdtempSync(join(tmpdir(), 'processor-'));
  private readonly file = join(this.folder, 'seconds');
  private readonly began = performance.now();

  get env(): Record<string, string> {
    writeFileSync(this.file, '');
    // Threads of a process are part of its usage, and load this too.
    const code = `import { appendFileSync } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
      if (isMainThread) process.on('exit', () => { const { user, system } = process.cpuUsage();
      appendFileSync(${JSON.stringify(this.file)}, String((user + system) / 1e6) + '\\n'); });`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  }

  read(): Cost {
    const wall = (performance.now() - this.began) / 1000;
    const seconds = readFileSync(this.file, 'utf8').split('\n').map(Number);
    rmSync(this.folder, { recursive: true });
    return { processor: seconds.reduce((sum, one) => sum + one, 0), wall };
  }
}

/** Runs a Node script to its end, whatever that is. @param args of `node` */
export async function costOf(args: readonly string[], cwd: string): Promise<Cost> {
  const meter = new Meter();
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...meter.env }, stdio: 'ignore' });
  await new Promise((resolve) => child.on('close', resolve));
  return meter.read();
}
