import type { Clock } from '../../../src/kernel/clock.js';
import type { Store, StoreOperation } from '../../../src/kernel/store.js';
import { type Life, ProcessStore } from '../../../src/testing/process-life.js';

/** Wakes whoever waits until something has ended that was under way in a thread. */
export class Signal {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  raise(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/**
 * One process of the test: what it has under way in threads and in turns of the loop, during which no time may pass, and who
 * is told when it dies.
 */
export class Process implements Life {
  dead = false;
  #underway = 0;
  readonly #ends: (() => void)[] = [];
  readonly #ended: Signal;

  /** @param ended raised each time that something is not under way any more */
  constructor(ended: Signal) {
    this.#ended = ended;
  }

  /** Whether it waits for something that takes no time on the test's clock. */
  get isBusy(): boolean {
    return !this.dead && this.#underway > 0;
  }

  /** Counts work until it ends. What a dead process has under way never ends for it. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#underway += 1;
    try {
      const result = await work;
      return this.dead ? await never : result;
    } catch (thrown) {
      if (this.dead) return await never;
      throw thrown;
    } finally {
      this.#underway -= 1;
      this.#ended.raise();
    }
  }

  /** Calls back when it dies; at once when it has. */
  onDeath(end: () => void): void {
    if (this.dead) end();
    else this.#ends.push(end);
  }

  /** As `kill -9`: nothing that it has set going does anything afterwards. */
  die(): void {
    if (this.dead) return;
    this.dead = true;
    for (const end of this.#ends) end();
    this.#ended.raise();
  }
}

const never = new Promise<never>(() => undefined);

/** A clock whose wall time is off, and in whole milliseconds as on a machine. @param offMs milliseconds that it is ahead of `clock`, asked for each time */
export function skewed(clock: Clock, offMs: () => number): Clock {
  return {
    now: () => Math.floor(clock.now() + offMs()),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  };
}

/** A disk on which a commit is under way until it is there. */
export class CountedStore extends ProcessStore {
  readonly #process: Process;

  constructor(process: Process, disk: Store, written?: (operations: readonly StoreOperation[]) => void) {
    super(process, disk, written);
    this.#process = process;
  }

  override commit(...what: Parameters<Store['commit']>): Promise<void> {
    return this.#process.during(super.commit(...what));
  }
}
