import { readFileSync } from 'node:fs';

/** Milliseconds between two turns of the event loop, as a timer of 1 ms sees them, less what the thread waited for a core. */
export interface LoopTurns {
  readonly median: number;
  readonly p95: number;
  readonly longest: number;
}

/**
 * How long this thread was ready to run and had no core (Linux, proc(5): `schedstat`), milliseconds. With it, other work on
 * the machine does not look like work of this thread. 0 on systems that do not tell.
 */
function waitedForCore(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Samples the event loop while something runs. A turn that is longer than 1 ms held up everything else in this process. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<LoopTurns> {
  const turns: number[] = [];
  let at = performance.now();
  let waited = waitedForCore();
  const note = (): void => {
    const now = performance.now();
    const waitedNow = waitedForCore();
    turns.push(now - at - (waitedNow - waited));
    at = now;
    waited = waitedNow;
  };
  const sampler = setInterval(note, 1);
  await work();
  note();
  clearInterval(sampler);
  turns.sort((a, b) => a - b);
  const at95 = turns[Math.floor(turns.length * 0.95)] ?? 0;
  return { median: turns[turns.length >> 1] ?? 0, p95: at95, longest: turns.at(-1) ?? 0 };
}

/** Of several rounds the best of each figure: what else happens on the machine, and the collector, only ever add. */
export async function bestTurns(
  rounds: number,
  work: (round: number) => Promise<unknown>,
): Promise<LoopTurns> {
  const all: LoopTurns[] = [];
  for (let round = 0; round < rounds; round++) all.push(await turnsDuring(() => work(round)));
  const best = (figure: keyof LoopTurns): number => Math.min(...all.map((turns) => turns[figure]));
  return { median: best('median'), p95: best('p95'), longest: best('longest') };
}

export function turnsText({ median, p95, longest }: LoopTurns): string {
  return `turns of the loop: median ${median.toFixed(1)}, 95 % within ${p95.toFixed(1)}, longest ${longest.toFixed(1)} ms`;
}
