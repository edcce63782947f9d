import type { Clock, TimerHandle } from './clock.js';
import { kernelError } from './kernel-errors.js';
import { type KernelLog, neverThrowing } from './log.js';

/** Node's timers turn anything longer into 1 ms, so longer waits are made of several. */
const longestTimerMs = 2 ** 31 - 1;

declare const deadlineBrand: unique symbol;

/** What `set` returns; pass it to `clear`. It stays harmless after the deadline has fired. */
export type DeadlineHandle = { readonly [deadlineBrand]: true };

/** What may be said of a deadline. */
export interface DeadlineOptions {
  /** What it is for, in a few words: explanations show it. */
  readonly label?: string;
}

/** Whoever takes events: an actor's `self`. */
interface Receiver<E> {
  send(event: E): void;
}

/** A deadline that has not fired yet. */
export interface PendingDeadline {
  readonly label: string;
  /** The type of the event that it sends, if it was set by `sendAfter`. */
  readonly event?: string;
  /** Milliseconds from now; 0 when it is due. */
  readonly inMs: number;
  /** The wall time at which it will fire if the wall clock isn't moved, milliseconds since the epoch. */
  readonly at: number;
}

/** One deadline: an entry of the heap (`slot` is its index, -1 outside) and of its owner's list. */
class Deadline {
  slot = -1;
  before: Deadline | undefined;
  after: Deadline | undefined;
  readonly owner: object;
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
  readonly label: string;
  readonly event: string | undefined;

  constructor(
    owner: object,
    due: number,
    order: number,
    fire: () => void,
    label: string,
    event: string | undefined,
  ) {
    this.owner = owner;
    this.due = due;
    this.order = order;
    this.fire = fire;
    this.label = label;
    this.event = event;
  }

  isBefore(other: Deadline): boolean {
    return this.due < other.due || (this.due === other.due && this.order < other.order);
  }
}

/**
 * All timers of all actors in one indexed binary heap over one timer of the clock. Setting and clearing are O(log n)
 * and a cleared deadline leaves nothing behind. Time is monotonic, so a step of the wall clock moves no deadline.
 *
 * @example
 * const deadlines = new Deadlines(systemClock, log);
 * const handle = deadlines.set(self, 30_000, () => self.send({ type: 'late' }), { label: 'answer' });
 * deadlines.clear(handle);
 * deadlines.release(self);
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #log: KernelLog;
  readonly #heap: Deadline[] = [];
  readonly #owners = new Map<object, Deadline>();
  #order = 0;
  #timer: TimerHandle | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #firing = false;

  constructor(clock: Clock, log: KernelLog) {
    this.#clock = clock;
    this.#log = neverThrowing(log);
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * Calls `fire` once, `delayMs` from now; what throws there is logged and stops nothing else.
   *
   * @param owner whose it is: for an actor its `self`, so that its supervisor can `release` it.
   * @param delayMs any finite number of milliseconds; one that has passed already (negative) fires in the next turn.
   * @throws AppError `kernel.bad_delay` for NaN and infinities.
   */
  set(owner: object, delayMs: number, fire: () => void, options?: DeadlineOptions): DeadlineHandle {
    return this.#add(owner, delayMs, fire, options?.label ?? 'deadline', undefined);
  }

  /**
   * Sends an event to an actor, `delayMs` from now (OTP's `erlang:send_after/3`). The deadline is the actor's, and
   * explanations say which event it will send.
   *
   * @throws AppError `kernel.bad_delay` as {@link Deadlines.set}.
   * @example
   * deadlines.sendAfter(self, 30_000, { type: 'expire' }, { label: 'answer' });
   */
  sendAfter<E extends { readonly type: string }>(
    actor: Receiver<E>,
    delayMs: number,
    event: E,
    options?: DeadlineOptions,
  ): DeadlineHandle {
    return this.#add(actor, delayMs, () => actor.send(event), options?.label ?? event.type, event.type);
  }

  /** Drops a deadline. Does nothing when it has fired or was cleared. */
  clear(handle: DeadlineHandle): void {
    const deadline = handle as unknown as Deadline;
    if (deadline.slot === -1) return;
    this.#remove(deadline);
    this.#arm();
  }

  /** Drops all deadlines of an owner. Supervisors call it when an actor ends. */
  release(owner: object): void {
    let deadline = this.#owners.get(owner);
    if (!deadline) return;
    while (deadline) {
      const { after }: Deadline = deadline;
      this.#remove(deadline);
      deadline = after;
    }
    this.#arm();
  }

  /** What an owner waits for, soonest first. */
  pending(owner: object): readonly PendingDeadline[] {
    const found: Deadline[] = [];
    for (let deadline = this.#owners.get(owner); deadline; deadline = deadline.after) found.push(deadline);
    const monotonic = this.#clock.monotonic();
    const now = this.#clock.now();
    return found
      .sort((a, b) => (a.isBefore(b) ? -1 : 1))
      .map(({ label, event, due }) => {
        const inMs = Math.max(0, due - monotonic);
        return { label, ...(event === undefined ? {} : { event }), inMs, at: now + inMs };
      });
  }

  #add(
    owner: object,
    delayMs: number,
    fire: () => void,
    label: string,
    event: string | undefined,
  ): DeadlineHandle {
    if (!Number.isFinite(delayMs)) {
      throw kernelError('bad_delay', `delayMs is ${delayMs}, not a finite number of milliseconds`, {
        hint: 'For "never", set no deadline',
      });
    }
    this.#order += 1;
    const due = this.#clock.monotonic() + Math.max(0, delayMs);
    const deadline = new Deadline(owner, due, this.#order, fire, label, event);
    const first = this.#owners.get(owner);
    if (first) {
      deadline.after = first;
      first.before = deadline;
    }
    this.#owners.set(owner, deadline);
    this.#heap.push(deadline);
    this.#rise(deadline, this.#heap.length - 1);
    this.#arm();
    return deadline as unknown as DeadlineHandle;
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    // What is set from here on waits for the next turn, or a deadline that sets itself anew with 0 ms would never end.
    const lastOrder = this.#order;
    this.#firing = true;
    for (let top = this.#heap[0]; top && top.due <= now && top.order <= lastOrder; top = this.#heap[0]) {
      this.#remove(top);
      try {
        top.fire();
      } catch (error) {
        this.#log.error({ err: error, deadline: top.label }, 'A deadline threw when it fired');
      }
    }
    this.#firing = false;
    this.#arm();
  }

  /** Keeps the one timer at or before the earliest deadline; one that comes too early just arms again. */
  #arm(): void {
    if (this.#firing) return;
    const top = this.#heap[0];
    if (top && this.#timer !== undefined && this.#timerDue <= top.due) return;
    if (this.#timer !== undefined) {
      this.#clock.clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#timerDue = Number.POSITIVE_INFINITY;
    }
    if (!top) return;
    const now = this.#clock.monotonic();
    // Rounded up: a timer that fires a fraction of a millisecond early would spin until the time has come.
    const delay = Math.min(Math.ceil(Math.max(0, top.due - now)), longestTimerMs);
    this.#timerDue = Math.min(now + delay, top.due);
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), delay);
  }

  #remove(deadline: Deadline): void {
    const { slot, before, after, owner } = deadline;
    deadline.slot = -1;
    deadline.before = undefined;
    deadline.after = undefined;
    if (after) after.before = before;
    if (before) before.after = after;
    else if (after) this.#owners.set(owner, after);
    else this.#owners.delete(owner);

    const last = this.#heap.pop();
    if (!last || last === deadline) return;
    const parent = this.#heap[(slot - 1) >> 1];
    if (slot > 0 && parent && last.isBefore(parent)) this.#rise(last, slot);
    else this.#sink(last, slot);
  }

  #rise(deadline: Deadline, from: number): void {
    let slot = from;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = this.#heap[above];
      if (!parent || !deadline.isBefore(parent)) break;
      this.#place(parent, slot);
      slot = above;
    }
    this.#place(deadline, slot);
  }

  #sink(deadline: Deadline, from: number): void {
    let slot = from;
    for (;;) {
      const left = this.#heap[2 * slot + 1];
      const right = this.#heap[2 * slot + 2];
      const least = right && left && right.isBefore(left) ? right : left;
      if (!least?.isBefore(deadline)) break;
      const below = least.slot;
      this.#place(least, slot);
      slot = below;
    }
    this.#place(deadline, slot);
  }

  #place(deadline: Deadline, slot: number): void {
    this.#heap[slot] = deadline;
    deadline.slot = slot;
  }
}
