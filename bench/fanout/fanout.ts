import { writeFile } from 'node:fs/promises';
import { hasEnded } from '../../src/client/fanout-calls.js';
import type { BenchArguments } from '../arguments.js';
import type { Effort } from '../benchmarks.js';
import type { Programs } from '../fixture.js';
import { payload } from '../payload.js';
import { median, percentile } from '../statistics.js';
import { type Fleet, startFleet } from './fleet.js';

const sizes = {
  full: { hosts: 200, processes: 4 },
  quick: { hosts: 200, processes: 4 },
  sanity: { hosts: 20, processes: 2 },
} as const satisfies Record<Effort['name'], object>;

/** One capability on every host at once. Milliseconds from the moment that the first was asked for. */
export interface FanoutRound {
  /** When the last result was there. */
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface FanoutReport {
  /** `full`, `quick` or `sanity`: only `full` is to be quoted. */
  readonly effort: string;
  readonly hosts: number;
  readonly processes: number;
  readonly enrolledMs: number;
  readonly rounds: readonly FanoutRound[];
  /** Resident memory of palyrad, bytes. */
  readonly memory: {
    readonly alone: number;
    readonly connected: number;
    readonly afterwards: number;
    /** What each connected host adds. */
    readonly perHost: number;
  };
}

interface FanoutOptions {
  readonly programs: Programs;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** `npm run bench -- fanout`: a fan-out of `echo` over 200 real node hosts, asked for over the API of a real palyrad. */
export async function fanoutMain({ effort, json }: BenchArguments, options: FanoutOptions): Promise<void> {
  const { programs, directory, signal } = options;
  const { hosts, processes } = sizes[effort.name];
  const fleet = await startFleet({ programs, directory, hosts, processes });
  try {
    const connected = await fleet.daemonMemory();
    // The first round is cold and does not count.
    await fanOut(fleet);
    const rounds: FanoutRound[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      signal.throwIfAborted();
      rounds.push(await fanOut(fleet));
    }
    const report: FanoutReport = {
      effort: effort.name,
      hosts,
      processes,
      enrolledMs: Math.round(fleet.enrolledMs),
      rounds,
      memory: {
        alone: fleet.daemonAlone,
        connected,
        afterwards: await fleet.daemonMemory(),
        perHost: Math.round((connected - fleet.daemonAlone) / hosts),
      },
    };
    console.log(textOf(report));
    if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await fleet.stop();
  }
}

/** @throws Error when it did not succeed on every host. */
async function fanOut({ client, nodes }: Fleet): Promise<FanoutRound> {
  const began = performance.now();
  const request = { all: true, capability: 'echo', input: payload, expect: nodes.length };
  const { id } = await client.fanouts.create(request);
  const times = new Map<string, number>();
  for await (const { members } of client.fanouts.follow(id)) {
    for (const { deviceId, name, state, error } of members.filter(hasEnded)) {
      if (state !== 'succeeded') throw new Error(`${name} of ${id} is ${state}: ${JSON.stringify(error)}`);
      if (!times.has(deviceId)) times.set(deviceId, performance.now() - began);
    }
  }
  if (times.size !== nodes.length)
    throw new Error(`${id} ended with ${times.size} of ${nodes.length} results`);
  const all = [...times.values()];
  return { wallMs: Math.max(...all), p50Ms: percentile(all, 0.5), p95Ms: percentile(all, 0.95) };
}

function textOf({ effort, hosts, processes, enrolledMs, rounds, memory }: FanoutReport): string {
  const middle = (of: keyof FanoutRound): string => median(rounds.map((round) => round[of])).toFixed(0);
  const walls = rounds.map(({ wallMs }) => wallMs.toFixed(0)).join(', ');
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    `${hosts} real node hosts in ${processes} processes, enrolled and online after ${(enrolledMs / 1000).toFixed(1)} s`,
    `echo on all of them, ${rounds.length} rounds: all results after ${middle('wallMs')} ms (rounds: ${walls}), half after ${middle('p50Ms')} ms, 95 % after ${middle('p95Ms')} ms`,
    `palyrad: ${mib(memory.alone)} alone, ${mib(memory.connected)} with all connected (${(memory.perHost / 1024).toFixed(0)} KiB for each), ${mib(memory.afterwards)} afterwards`,
    ...(effort === 'full' ? [] : [`Do not quote these figures: the run was ${effort}.`]),
  ].join('\n');
}
