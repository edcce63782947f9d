import { Executions } from '../../src/actors/execution/executions.js';
import { CommitQueue } from '../../src/adapters/store/commit-queue.js';
import type { Durability, StoreOperation } from '../../src/kernel/store.js';
import { delay } from './delay.js';

/*
 * Loaded into one of our programs before anything of it (`node --import`). The program is the built one and knows nothing of this:
 *
 *   PALYRA_CHAOS_DISK_MS   the disk is slow: each group of commits takes a random time of up to so many milliseconds, one part of it
 *                          before it is on the disk and the rest before anybody is told so. What is committed meanwhile waits and
 *                          is the next group, in its order, as with a slow fsync.
 *   SIGUSR2                a node host prints what it has in flight, as its next Hello would say
 */

interface Waiting {
  readonly operations: readonly StoreOperation[];
  readonly durability: Durability;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const slowestMs = Number(process.env.PALYRA_CHAOS_DISK_MS ?? 0);
const write = CommitQueue.prototype.add;

/** One disk, which takes its time with one group after the other. */
class SlowDisk {
  readonly #queue: CommitQueue;
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(queue: CommitQueue) {
    this.#queue = queue;
  }

  add(operations: readonly StoreOperation[], durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, durability, resolve, reject });
      if (!this.#isBusy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const total = Math.random() * slowestMs;
      const before = Math.random() * total;
      await delay(before);
      const group = this.#waiting.splice(0);
      const written = await Promise.allSettled(
        group.map(({ operations, durability }) => write.call(this.#queue, operations, durability)),
      );
      await delay(total - before);
      written.forEach((outcome, index) => {
        if (outcome.status === 'fulfilled') group[index]?.resolve();
        else group[index]?.reject(outcome.reason);
      });
    }
    this.#isBusy = false;
  }
}

if (slowestMs > 0) {
  const disks = new WeakMap<CommitQueue, SlowDisk>();
  CommitQueue.prototype.add = function add(operations, durability) {
    const disk = disks.get(this) ?? new SlowDisk(this);
    disks.set(this, disk);
    return disk.add(operations, durability);
  };
}

const open = Executions.open;
Executions.open = async (options) => {
  const executions = await open(options);
  process.on('SIGUSR2', () => {
    process.stdout.write(`${JSON.stringify({ event: 'in_flight', entries: executions.inFlight() })}\n`);
  });
  return executions;
};
