import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type AnyActorLogic, createActor } from 'xstate';
import { compile } from '../../src/kernel/compile.js';
import { createKernel, type Kernel } from '../../src/kernel/index.js';
import type { Benchmark } from '../benchmarks.js';
import { CrowdTree } from './crowd-tree.js';
import { idleMachine, lifeEvents, lifeMachine } from './members.js';

/** Both sides of a comparison, ready to run. Each call measures one round of `count` operations. */
export interface Sides {
  floor(count: number): number;
  measure(count: number): number | Promise<number>;
  end(): Promise<void>;
}

/** A benchmark of the kernel alone, in this process. */
export interface KernelBenchmark extends Pick<Benchmark, 'name' | 'unit' | 'bar' | 'ours' | 'theFloor'> {
  /** Operations in a round of full effort. */
  readonly count: number;
  begin(): Sides;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const idleBytes = 6 * 1024;

/**
 * In this order, because they share a process: where actors have lived long, V8 allocates new ones among the old, and short
 * lives cost more from then on (up to 10 µs each, whatever their logic is).
 */
export const kernelBenchmarks: readonly KernelBenchmark[] = [
  {
    name: 'kernel.compile.life',
    unit: 'µs',
    bar: { is: 'at most', ratio: 0.2 },
    ours: 'create, three events, final: a dispatch-shaped machine compiled, in a crowd',
    theFloor: "the same machine by XState's interpretation, in a crowd",
    count: 15_000,
    begin() {
      const interpreted = new CrowdTree(() => lifeMachine);
      const compiled = new CrowdTree(() => compile(lifeMachine));
      return {
        floor: (count) => live(interpreted, count),
        measure: (count) => live(compiled, count),
        end: async () => {
          await interpreted.end();
          await compiled.end();
        },
      };
    },
  },
  {
    name: 'kernel.events',
    unit: '/s',
    bar: { is: 'at least', ratio: 0.8 },
    ours: 'events through the directory to a supervised XState machine',
    theFloor: 'events to the same machine as a bare XState actor',
    count: 100_000,
    begin() {
      const tree = new CrowdTree(idleMachine);
      const [seat] = CrowdTree.seats('only', 1);
      if (!seat) throw new Error('No seat');
      tree.start(seat, {});
      const bare = createActor(idleMachine(tree.kernel), { input: {} }).start();
      return {
        floor: (count) => perSecond(count, () => bare.send({ type: 'count' })),
        measure: (count) => perSecond(count, () => tree.send(seat, { type: 'count' })),
        end: async () => {
          bare.stop();
          tree.kernel.deadlines.release(bare);
          await tree.end();
        },
      };
    },
  },
  {
    name: 'kernel.deadlines',
    unit: 'µs',
    bar: { is: 'at most', ratio: 1 },
    ours: 'set one of 100,000 deadlines of as many owners, then clear it',
    theFloor: 'the same with setTimeout and clearTimeout',
    count: 100_000,
    begin: () => ({ floor: nodeTimers, measure: kernelDeadlines, end: async () => {} }),
  },
  {
    name: 'kernel.spawn',
    unit: 'µs',
    bar: { is: 'at most', ratio: 1.2 },
    ours: 'spawn and stop an XState machine in a crowd of 10,000',
    theFloor: 'the same in a crowd of 10',
    count: 2_000,
    begin: () => beginSpawning(idleMachine),
  },
  {
    name: 'kernel.spawn.compiled',
    unit: 'µs',
    bar: { is: 'at most', ratio: 1.2 },
    ours: 'spawn and stop a compiled machine in a crowd of 10,000',
    theFloor: 'the same in a crowd of 10',
    count: 6_000,
    begin: () => beginSpawning((kernel) => compile(idleMachine(kernel))),
  },
  {
    name: 'kernel.memory.idle',
    unit: 'B',
    bar: { is: 'at most', ratio: 1 },
    ours: 'heap of one idle compiled member with its address, its place in the crowd and one deadline',
    theFloor: 'what it may be: 6 KiB',
    count: 10_000,
    begin: () => ({
      floor: () => idleBytes,
      measure: bytesPerMember,
      end: async () => {},
    }),
  },
];

function beginSpawning(logicFor: (kernel: Kernel) => AnyActorLogic): Sides {
  const few = crowdOf(10, logicFor);
  const many = crowdOf(10_000, logicFor);
  return {
    floor: (count) => spawnAndStop(few, count),
    measure: (count) => spawnAndStop(many, count),
    end: async () => {
      await few.end();
      await many.end();
    },
  };
}

function crowdOf(size: number, logicFor: (kernel: Kernel) => AnyActorLogic): CrowdTree {
  const tree = new CrowdTree(logicFor);
  for (const seat of CrowdTree.seats('sibling', size)) tree.start(seat, {});
  return tree;
}

function spawnAndStop(tree: CrowdTree, count: number): number {
  const before = tree.size;
  const seats = CrowdTree.seats('new', count);
  const taken = perOperation(count, (index) => {
    const seat = seats[index];
    if (!seat) return;
    tree.start(seat, {});
    tree.stop(seat);
  });
  expectSize(tree, before);
  return taken;
}

function live(tree: CrowdTree, count: number): number {
  const seats = CrowdTree.seats('life', count);
  const taken = perOperation(count, (index) => {
    const seat = seats[index];
    if (!seat) return;
    tree.start(seat, { record: { id: seat.key, state: 'queued', at: 0 }, fresh: true });
    for (const event of lifeEvents) tree.send(seat, event);
  });
  expectSize(tree, 0);
  return taken;
}

/** A figure of something that didn't happen would be a good one. */
function expectSize(tree: CrowdTree, size: number): void {
  if (tree.size !== size) throw new Error(`${tree.size} members are left, not ${size}`);
}

async function bytesPerMember(count: number): Promise<number> {
  const tree = new CrowdTree((kernel) => compile(idleMachine(kernel)));
  const seats = CrowdTree.seats('idle', count);
  const before = heapAfterCollection();
  for (const seat of seats) tree.start(seat, {});
  const after = heapAfterCollection();
  expectSize(tree, count);
  await tree.end();
  return (after - before) / count;
}

/** The heap in use, bytes, once all garbage is collected. */
function heapAfterCollection(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Milliseconds up to half an hour, without an order. */
function delays(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => 60_000 + ((index * 7_919) % 1_740_000));
}

function kernelDeadlines(count: number): number {
  const { deadlines } = createKernel();
  const owners = Array.from({ length: count }, () => ({}));
  const all = delays(count);
  const fire = (): void => {};
  return (
    perOperation(1, () => {
      const handles = all.map((delay, index) => deadlines.set(owners[index] ?? owners, delay, fire));
      for (const handle of handles) deadlines.clear(handle);
    }) / count
  );
}

function nodeTimers(count: number): number {
  const all = delays(count);
  const fire = (): void => {};
  return (
    perOperation(1, () => {
      const handles = all.map((delay) => setTimeout(fire, delay));
      for (const handle of handles) clearTimeout(handle);
    }) / count
  );
}

/**
 * Microseconds of this process's CPUs, those of the garbage collector included, for each of `count` operations. Not of
 * the clock: what else the machine does would be measured too.
 */
function perOperation(count: number, operation: (index: number) => void): number {
  // Or this round would pay for the garbage of the one before.
  collectGarbage();
  const begun = process.cpuUsage();
  for (let index = 0; index < count; index++) operation(index);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / count;
}

function perSecond(count: number, operation: () => void): number {
  return 1_000_000 / perOperation(count, operation);
}
