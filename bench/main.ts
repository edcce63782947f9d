import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchArguments, parseBenchArguments, usage } from './arguments.js';
import { type Benchmark, benchmarks, type Effort } from './benchmarks.js';
import { fanoutMain } from './fanout/fanout.js';
import { type Fixture, type Programs, startFixture } from './fixture.js';
import { kernelMain } from './kernel/main.js';
import { pluginBenchmarks, pluginRounds } from './plugin/plugin-benchmarks.js';
import { type Rounds, reportOf, tableOf } from './report.js';

/**
 * Runs the benchmarks that the command line names, prints the table and returns the exit code. A bar that is missed is a
 * figure and no failure.
 */
export async function main(argv: readonly string[], programs: Programs): Promise<number> {
  const ofKernel = argv[0] === 'kernel';
  const ofFanout = argv[0] === 'fanout';
  let given: BenchArguments;
  try {
    given = parseBenchArguments(ofKernel || ofFanout ? argv.slice(1) : argv);
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    return 2;
  }
  if (ofKernel) return kernelMain(given);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(new Error('Interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const [busyBefore = 0] = loadavg();
  const directory = await mkdtemp(join(tmpdir(), 'palyra-bench-'));
  try {
    if (ofFanout) {
      await fanoutMain(given, { programs, directory, signal: interruption.signal });
      return 0;
    }
    const all: Rounds[] = [];
    for (const group of groupsOf(given.names)) {
      all.push(...(await runGroup(group, { given, programs, directory, signal: interruption.signal })));
    }
    for (const benchmark of pluginBenchmarks.filter(({ name }) => given.names.includes(name))) {
      all.push(await pluginRounds(benchmark, programs.packedEcho, given.effort, interruption.signal));
    }
    const report = reportOf(all, { effort: given.effort, profiled: given.profile !== undefined, busyBefore });
    console.log(tableOf(report));
    if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(report, null, 2)}\n`);
    return 0;
  } catch (thrown) {
    console.error(interruption.signal.aborted ? 'Interrupted' : thrown);
    return 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Benchmarks that use the same nodes share a daemon; others get a fresh one, so that idle sessions don't disturb. */
function groupsOf(names: readonly string[]): readonly (readonly Benchmark[])[] {
  const chosen = benchmarks.filter(({ name }) => names.includes(name));
  return [...new Set(chosen.map(({ nodes }) => nodes))].map((nodes) =>
    chosen.filter((benchmark) => benchmark.nodes === nodes),
  );
}

interface RunOptions {
  readonly given: BenchArguments;
  readonly programs: Programs;
  readonly directory: string;
  readonly signal: AbortSignal;
}

async function runGroup(group: readonly Benchmark[], options: RunOptions): Promise<readonly Rounds[]> {
  const { given, programs, directory, signal } = options;
  const nodes = group[0]?.nodes ?? 'host';
  const fixture = await startFixture({
    programs,
    nodes,
    directory: join(directory, String(nodes)),
    ...(given.profile === undefined ? {} : { profile: resolve(given.profile) }),
  });
  try {
    await warmUp(fixture, given.effort);
    const all = group.map((benchmark) => ({ benchmark, floor: [] as number[], ours: [] as number[] }));
    for (let round = 0; round < given.effort.rounds; round++) {
      for (const { benchmark, floor, ours } of all) {
        signal.throwIfAborted();
        const measureFloor = async (): Promise<void> =>
          void floor.push(await benchmark.floor(fixture, given.effort));
        const measureOurs = async (): Promise<void> =>
          void ours.push(await benchmark.measure(fixture, given.effort));
        // Who goes first changes from round to round: what comes second may find a warmer or a more tired machine.
        for (const measure of round % 2 === 0 ? [measureFloor, measureOurs] : [measureOurs, measureFloor]) {
          await measure();
        }
      }
    }
    return all;
  } finally {
    await fixture.stop();
  }
}

/** The first thousands of calls run cold, many at a time as well as one by one. */
async function warmUp({ floor, daemon, nodes }: Fixture, { warmUpMs, samples }: Effort): Promise<void> {
  const load = { inFlight: 128, durationMs: warmUpMs };
  await floor.ask('rate', load);
  await daemon.ask('rate', { nodes, ...load });
  await floor.ask('latency', { samples });
  await daemon.ask('latency', { nodes, samples });
}
