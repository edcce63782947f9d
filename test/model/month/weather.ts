import type { Machine } from './machine.js';
import { daemonSkewMs, type Faults, type Month, nodeSkewMs } from './month.js';
import { day, hour, minute } from './month-daemon.js';

/** How often things fail in the middle of a call or of a write. */
function inTheMiddle(isDaemonSteady: () => boolean): Faults {
  return {
    nodeDies: (random) => random.happens(0.012),
    breaks: (random) => random.happens(0.08),
    daemonDies: (random) => random.happens(0.03) && !isDaemonSteady(),
  };
}

/** What a node may sleep through without the end of its certificate: it renews with a third of its life, 8 hours, left. */
const longestAwayMs = 3 * hour;

/** Lets things go wrong for so long: restarts, broken lines, clocks that are set, orders, and nodes that sleep for days. */
export function letFail(month: Month, forMs: number): void {
  const { random } = month;
  const end = month.clock.monotonic() + forMs;
  // For a week the daemon does not die: it has to renew its own certificate while it runs, and not at a start.
  let isDaemonSteady = false;
  month.later(forMs / 3, () => {
    isDaemonSteady = true;
  });
  month.later(forMs / 3 + 7 * day, () => {
    isDaemonSteady = false;
  });
  month.faults = inTheMiddle(() => isDaemonSteady);
  const repeat = (meanMs: number, draw: Machine['random'], act: () => void): void => {
    const again = (): void => {
      month.later(draw.wait(meanMs), () => {
        if (month.clock.monotonic() >= end) return;
        act();
        again();
      });
    };
    again();
  };
  repeat(day, random, () => {
    if (isDaemonSteady) return;
    const isLong = random.happens(0.2) && month.machines.every((machine) => hasTime(month, machine));
    const offMs = isLong ? random.between(10 * minute, longestAwayMs) : random.between(1_000, minute);
    month.restartDaemon(offMs, random.between(-daemonSkewMs, daemonSkewMs));
  });
  for (const machine of month.machines) {
    const { random: own } = machine;
    repeat(4 * day, own, () => {
      const isLong = own.happens(0.3) && hasTime(month, machine);
      month.restartNode(machine, isLong ? own.between(minute, longestAwayMs) : own.between(1_000, minute));
    });
    repeat(2 * day, own, () => month.cutLines(machine, own.happens(0.5), own.happens(0.5)));
    repeat(10 * day, own, () => {
      month.count('the clock of a node was set');
      machine.skewMs = own.between(-nodeSkewMs, nodeSkewMs);
    });
    repeat(15 * day, own, () => month.order(machine));
  }
  // Every seventh machine sleeps past the end of its certificate once.
  for (const machine of month.machines.filter((_, index) => index % 7 === 3)) {
    const sleep = (): void => {
      // It may be off at that moment; then it sleeps an hour later.
      if (!machine.life) {
        month.later(hour, sleep);
        return;
      }
      machine.sleeps += 1;
      month.restartNode(machine, machine.random.between(30 * hour, 60 * hour));
    };
    month.later(machine.random.between(day, forMs - 4 * day), sleep);
  }
  month.later(forMs, () => {
    month.faults = undefined;
  });
}

/** Whether a node could be away for long now, and for long again before it has renewed. */
function hasTime(month: Month, machine: Machine): boolean {
  if (!machine.life) return true;
  const now = month.daemon?.kernel.clock.now() ?? 0;
  return machine.certificates.some(({ notAfter }) => notAfter - now > 7.5 * hour);
}
