/** SIGTERM and SIGHUP end a run as SIGINT does: the checks stop, the report is written, and the exit code is not 0. */
import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGHUP'] as const;

/** From now on, in this process. */
export function endLikeInterrupt(): void {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // Playwright listens for SIGINT while a run is under way, and no longer once it was told to stop.
      if (!process.emit('SIGINT')) process.exit(128 + constants.signals[signal]);
    });
  }
}
