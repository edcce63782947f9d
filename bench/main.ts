import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchArguments, parseBenchArguments, usage } from './arguments.js';
import { type Benchmark, benchmarks, type Effort } from './benchmarks.js';
import { type Fixture, type Programs, startFixture } from './fixture.js';
import { type Rounds, reportOf, tableOf } from './report.js';

/** Runs the benchmarks that the command line names and returns the exit code. A bar that is missed is no failure: it is a figure. */
export async function main(argv: readonly string[], programs: Programs): Promise<number> {
  let given: BenchArguments;
  try {
    given = parseBenchArguments(argv);
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    return 2;
  }
  const directory = await mkdtemp(join(tmpdir(), 'palyra-bench-'));
  const interrupted = new Interruption();
  try {
    const all: Rounds[] = [];
    for (const group of groupsOf(given.names)) {
      all.push(...(await interrupted.orDone(runGroup(group, given, programs, directory, interrupted))));
    }
    const report = reportOf(all, given.effort);
    console.log(tableOf(report));
    if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(report, null, 2)}\n`);
    return 0;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
