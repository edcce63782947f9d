import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Benchmark, Effort } from '../benchmarks.js';
import { measureLatency } from '../measure.js';
import type { Rounds } from '../report.js';
import { median } from '../statistics.js';
import { EchoHost } from './echo-host.js';

/** Both sides of a comparison, ready to run. */
interface Sides {
  floor(effort: Effort): Promise<number>;
  measure(effort: Effort): Promise<number>;
  end(): Promise<void>;
}

/** A benchmark of a plugin's process, run by the node host's own parts in this process. */
export interface PluginBenchmark extends Pick<Benchmark, 'name' | 'unit' | 'bar' | 'ours' | 'theFloor'> {
  /** @param packed the folder of `echo`, bundled as `plugin pack` does */
  begin(packed: string): Promise<Sides>;
}

/** Cold starts of a round: each takes a tenth of a second. */
const coldStarts = { full: 15, quick: 5, sanity: 1 } as const satisfies Record<Effort['name'], number>;

export const pluginBenchmarks: readonly PluginBenchmark[] = [
  {
    name: 'plugin.process.overhead',
    unit: 'µs',
    bar: { is: 'at most', difference: 150 },
    ours: 'echo by the plugin host in a process of its own, input and output checked, one at a time, median',
    theFloor: 'the same, inline',
    async begin(packed) {
      const inline = await EchoHost.open(packed, 'inline');
      const process = await EchoHost.open(packed, 'process');
      const p50 = async (host: EchoHost, { samples }: Effort) =>
        (await measureLatency(host.call, samples)).p50;
      // The first thousands of calls run cold.
      for (const host of [inline, process]) await measureLatency(host.call, 2_000);
      return {
        floor: (effort) => p50(inline, effort),
        measure: (effort) => p50(process, effort),
        end: async () => {
          await inline.close();
          await process.close();
        },
      };
    },
  },
  {
    name: 'plugin.process.cold',
    unit: 'ms',
    bar: { is: 'at most', value: 150 },
    ours: 'first call to a cold plugin: process started, journaled, code checked and loaded, echo answered, median',
    theFloor: 'a bare Node process that answers once over a pipe',
    async begin(packed) {
      const host = await EchoHost.open(packed, 'process');
      const each = async (start: () => Promise<number>, { name }: Effort): Promise<number> => {
        const times: number[] = [];
        for (let n = 0; n < coldStarts[name]; n++) times.push(await start());
        return median(times);
      };
      return {
        floor: (effort) => each(answerOfBareNode, effort),
        measure: (effort) => each(() => host.coldCall(), effort),
        end: () => host.close(),
      };
    },
  },
];

/** Milliseconds from the start of a bare process to its answer. */
async function answerOfBareNode(): Promise<number> {
  const program = "const net = require('node:net'); new net.Socket({ fd: 3 }).end('1');";
  const started = performance.now();
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const gone = once(child, 'exit');
  const pipe = child.stdio[3] as Duplex;
  await once(pipe, 'data');
  const took = performance.now() - started;
  pipe.destroy();
  await gone;
  return took;
}

/** Runs the rounds of a benchmark; who goes first changes from round to round. */
export async function pluginRounds(
  benchmark: PluginBenchmark,
  packed: string,
  effort: Effort,
  signal: AbortSignal,
): Promise<Rounds> {
  const sides = await benchmark.begin(packed);
  const floor: number[] = [];
  const ours: number[] = [];
  try {
    for (let round = 0; round < effort.rounds; round++) {
      signal.throwIfAborted();
      if (round % 2 === 0) floor.push(await sides.floor(effort));
      ours.push(await sides.measure(effort));
      if (round % 2 !== 0) floor.push(await sides.floor(effort));
    }
  } finally {
    await sides.end();
  }
  return { benchmark, floor, ours };
}
