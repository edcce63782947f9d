import type { Fixture } from './fixture.js';

/** How much is measured. Times are milliseconds. */
export interface Effort {
  readonly name: 'full' | 'quick' | 'sanity';
  readonly rounds: number;
  readonly warmUpMs: number;
  /** Calls one at a time in each round. */
  readonly samples: number;
  /** How long each round of a rate lasts. */
  readonly rateMs: number;
}

export const efforts = {
  full: { name: 'full', rounds: 7, warmUpMs: 4_000, samples: 2_000, rateMs: 2_000 },
  quick: { name: 'quick', rounds: 3, warmUpMs: 2_000, samples: 500, rateMs: 750 },
  sanity: { name: 'sanity', rounds: 1, warmUpMs: 50, samples: 100, rateMs: 50 },
} as const satisfies Record<string, Effort>;

/**
 * What ours is held against: its ratio to the floor, where machines differ in both alike; or by how much it may be over the
 * floor, or what it may be at all, in the benchmark's unit.
 */
export type Bar =
  | { readonly is: 'at most' | 'at least'; readonly ratio: number }
  | { readonly is: 'at most'; readonly difference: number }
  | { readonly is: 'at most'; readonly value: number };

/** A benchmark: one round of the floor and one of ours, which are run in turns, and the bar of spec section 14. */
export interface Benchmark {
  readonly name: string;
  readonly unit: 'µs' | 'ms' | '/s' | 'B';
  readonly bar: Bar;
  /** What is compared, in one line for the reader of the figures. */
  readonly ours: string;
  readonly theFloor: string;
  /** Nodes that answer: a real node host, or this many simulated ones from one process. */
  readonly nodes: 'host' | number;
  floor(fixture: Fixture, effort: Effort): Promise<number>;
  measure(fixture: Fixture, effort: Effort): Promise<number>;
}

const inFlight = 128;

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'dispatch.latency.p50',
    unit: 'µs',
    bar: { is: 'at most', ratio: 1.6 },
    ours: 'echo through the daemon and one real node host, one at a time, median',
    theFloor: 'push and answer on one bare grpc-js mTLS stream, one at a time, median',
    nodes: 'host',
    floor: async ({ floor }, { samples }) => (await floor.ask('latency', { samples })).p50,
    measure: async ({ daemon, nodes }, { samples }) => (await daemon.ask('latency', { nodes, samples })).p50,
  },
  {
    name: 'dispatch.rate.1node',
    unit: '/s',
    bar: { is: 'at least', ratio: 1 },
    ours: `echo through the daemon and one real node host, ${inFlight} in flight`,
    theFloor: `pushes and answers on one bare grpc-js mTLS stream, ${inFlight} in flight`,
    nodes: 'host',
    floor: ({ floor }, { rateMs }) => floor.ask('rate', { inFlight, durationMs: rateMs }),
    measure: ({ daemon, nodes }, { rateMs }) => daemon.ask('rate', { nodes, inFlight, durationMs: rateMs }),
  },
  {
    name: 'dispatch.rate.100nodes',
    unit: '/s',
    bar: { is: 'at least', ratio: 0.6 },
    ours: `echo through the daemon and 100 simulated nodes of one process, ${inFlight} in flight in all`,
    theFloor: `pushes and answers on one bare grpc-js mTLS stream, ${inFlight} in flight`,
    nodes: 100,
    floor: ({ floor }, { rateMs }) => floor.ask('rate', { inFlight, durationMs: rateMs }),
    measure: ({ daemon, nodes }, { rateMs }) => daemon.ask('rate', { nodes, inFlight, durationMs: rateMs }),
  },
];
