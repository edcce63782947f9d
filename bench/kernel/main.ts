import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import type { BenchArguments } from '../arguments.js';
import type { Effort } from '../benchmarks.js';
import { type Rounds, reportOf, tableOf } from '../report.js';
import { type KernelBenchmark, kernelBenchmarks } from './kernel-benchmarks.js';

/** The share of a full round's operations that each effort runs. */
const share = { full: 1, quick: 0.5, sanity: 0.01 } as const satisfies Record<Effort['name'], number>;
/** Rounds that are not counted: the first thousands of calls run cold. */
const warmUpRounds = 3;

/** Rounds are short here, so there are more of them than of the others. */
const moreRounds = 3;

/** `npm run bench -- kernel`: what the kernel costs by itself, in this process. Options as for the other benchmarks. */
export async function kernelMain({ effort: given, json }: BenchArguments): Promise<number> {
  const effort = { ...given, rounds: given.rounds * moreRounds };
  const [busyBefore = 0] = loadavg();
  const all: Rounds[] = [];
  for (const benchmark of kernelBenchmarks) all.push(await roundsOf(benchmark, effort));
  const report = reportOf(all, { effort, profiled: false, busyBefore });
  console.log(tableOf(report));
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
}

async function roundsOf(benchmark: KernelBenchmark, effort: Effort): Promise<Rounds> {
  const count = Math.ceil(benchmark.count * share[effort.name]);
  const sides = benchmark.begin();
  const floor: number[] = [];
  const ours: number[] = [];
  try {
    for (let round = 0; round < warmUpRounds + effort.rounds; round++) {
      // Who goes first changes from round to round, as in the other benchmarks.
      if (round % 2 === 0) floor.push(sides.floor(count));
      ours.push(await sides.measure(count));
      if (round % 2 !== 0) floor.push(sides.floor(count));
    }
  } finally {
    await sides.end();
  }
  return { benchmark, floor: floor.slice(warmUpRounds), ours: ours.slice(warmUpRounds) };
}
