import { LeafProcess, nameOf, type Parent } from './otp-leaf.js';
import { type ModelEnding, ModelWorld, type Timer, textOf } from './otp-world.js';
import type { SupervisorSpec, TreeSpec } from './tree-spec.js';

/*
 * OTP's rules of supervision as a plain program, written from the documentation of OTP:
 *   [principles] https://www.erlang.org/doc/system/sup_princ.html
 *   [supervisor] https://www.erlang.org/doc/apps/stdlib/supervisor.html
 * A process takes one message after the other. It knows nothing of XState, of addresses or of a heap of timers.
 *
 * Where our kernel promises something else than OTP, the rule is marked [kernel]:
 *   - a start that fails is a crash also while the supervisor itself starts (OTP gives up the whole supervisor then);
 *   - restarts wait for a backoff, and the supervisor goes on working meanwhile;
 *   - a supervisor that gives up crashes, with the cause (OTP: it exits with `shutdown`);
 *   - a crash before a group of rest_for_one that is on its way down or waiting widens the group (OTP blocks: it restarts
 *     the group first, then the wider one).
 */

export type Process = LeafProcess | SupervisorProcess;

/** A supervisor's place for one child, over all incarnations. */
interface Slot {
  readonly spec: TreeSpec;
  process: Process | undefined;
  starts: number;
  startedAt: number;
  /** Restarts since the last quiet time. */
  attempts: number;
  asked: boolean;
  limit: Timer | undefined;
  wait: Timer | undefined;
}

/** All children from `from` on go down, the last one first; then `aim` happens, but not before `notBefore`. */
interface Descent {
  readonly from: number;
  readonly aim: 'restart' | 'done' | 'crash';
  readonly notBefore: number;
  readonly why: string;
}

/** One incarnation of a supervisor. */
export class SupervisorProcess {
  readonly name: string;
  readonly id: string;
  ended: ModelEnding | undefined;
  readonly #world: ModelWorld;
  readonly #parent: Parent;
  readonly #spec: SupervisorSpec;
  readonly #slots: Slot[];
  readonly #inbox: (() => void)[] = [];
  #busy = false;
  #restarts: number[] = [];
  #descent: Descent | undefined;
  #groupWait: Timer | undefined;
  #ownLimit: Timer | undefined;

  constructor(world: ModelWorld, parent: Parent, spec: SupervisorSpec, start: number) {
    this.#world = world;
    this.#parent = parent;
    this.#spec = spec;
    this.id = spec.id;
    this.name = nameOf(spec.id, start);
    this.#slots = spec.children.map((child) => ({
      spec: child,
      process: undefined,
      starts: 0,
      startedAt: 0,
      attempts: 0,
      asked: false,
      limit: undefined,
      wait: undefined,
    }));
  }

  /** [principles] "The children are started from left to right." */
  start(): void {
    this.#take(() => this.#startFrom(0));
  }

  shutdown(): void {
    this.#take(() => {
      if (this.#descent && this.#descent.aim !== 'restart') return;
      const { shutdownMs } = this.#spec;
      if (shutdownMs !== undefined) {
        this.#ownLimit = this.#world.after(shutdownMs, () => this.#take(() => this.#onOwnLimit()));
      }
      this.#descent = { from: 0, aim: 'done', notBefore: 0, why: '' };
      this.#goDown();
    });
  }

  /** Ends it by force: no child outlives its supervisor. */
  stop(): void {
    if (this.ended) return;
    this.#stopAll();
    this.#end({ kind: 'stopped' });
  }

  onEnd(process: Process, ending: ModelEnding): void {
    this.#take(() => {
      const slot = this.#slots.find((candidate) => candidate.process === process);
      if (slot) this.#onChildEnd(slot, ending);
    });
  }

  /** A process handles one message at a time, in the order in which they came. */
  #take(message: () => void): void {
    this.#inbox.push(message);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inbox.shift(); next && !this.ended; next = this.#inbox.shift()) next();
    this.#busy = false;
  }

  #startFrom(index: number): void {
    for (const slot of this.#slots.slice(index)) {
      // [supervisor] "a temporary child process is never restarted, even when ... rest_for_one or one_for_all and a
      // sibling's death causes the temporary process to be terminated".
      if (slot.spec.restart === 'temporary' && slot.starts > 0) continue;
      this.#startChild(slot);
      // [kernel] Those after one that ended at once may need it. Its restart starts them too, if it has one.
      const ended = slot.process ? slot.process.ended : 'without a process';
      const again = ended !== undefined && this.#isRestarted(slot, ended);
      if (again && this.#spec.strategy !== 'one_for_one') return;
    }
  }

  #startChild(slot: Slot): void {
    const { spec } = slot;
    const world = this.#world;
    slot.starts += 1;
    slot.startedAt = world.now;
    slot.asked = false;
    world.note(this.id, `+${spec.id}`);
    const bad = world.bad.get(spec.id)?.shift();
    if (bad === 'input throws') {
      this.#take(() => this.#onChildEnd(slot, { kind: 'crashed', why: `boom input of ${spec.id}` }));
      return;
    }
    const process =
      spec.kind === 'leaf'
        ? new LeafProcess(world, this, spec, slot.starts)
        : new SupervisorProcess(world, this, spec, slot.starts);
    slot.process = process;
    world.running.set(spec.id, process);
    process.start(bad);
  }

  #onChildEnd(slot: Slot, ending: ModelEnding): void {
    const index = this.#slots.indexOf(slot);
    this.#forget(slot);
    // [supervisor] What ends while its supervisor terminates it is no failure to restart from.
    if (this.#descent && index >= this.#descent.from) this.#goDown();
    else if (this.#isRestarted(slot, ending)) this.#restart(slot, index, ending);
  }

  #forget(slot: Slot): void {
    this.#world.cancel(slot.limit);
    this.#world.cancel(slot.wait);
    if (slot.process) this.#world.running.delete(slot.spec.id);
    slot.process = undefined;
    slot.limit = undefined;
    slot.wait = undefined;
    slot.asked = false;
  }

  /**
   * [principles] "A permanent child process is always restarted. A temporary child process is never restarted ... A
   * transient child process is restarted only if it terminates abnormally, that is, with an exit reason other than normal,
   * shutdown, or {shutdown,Term}." Done is `normal`, stopped from outside is `shutdown`.
   */
  #isRestarted(slot: Slot, ending: ModelEnding | 'without a process'): boolean {
    if (slot.spec.restart === 'transient') return ending === 'without a process' || ending.kind === 'crashed';
    return slot.spec.restart === 'permanent';
  }

  #restart(slot: Slot, index: number, ending: ModelEnding): void {
    const { now } = this.#world;
    const { intensity, quietMs, strategy } = this.#spec;
    // [principles] "If more than MaxR number of restarts occur in the last MaxT seconds, the supervisor terminates all the
    // child processes and then itself." One restart counts once, however many children a strategy restarts with it.
    this.#restarts = [...this.#restarts.filter((time) => now - time < intensity.withinMs), now];
    if (this.#restarts.length > intensity.restarts) {
      const cause = ending.kind === 'crashed' ? ending.why : `ended (${ending.kind})`;
      this.#descent = {
        from: 0,
        aim: 'crash',
        notBefore: 0,
        why: `${this.name} gave up on ${slot.spec.id}: ${cause}`,
      };
      this.#goDown();
      return;
    }
    // [kernel] At once, then 200 ms doubling to 30 s; one that ran quietly for a while begins again.
    if (now - slot.startedAt >= quietMs) slot.attempts = 0;
    const backoff = slot.attempts === 0 ? 0 : Math.min(30_000, 200 * 2 ** (slot.attempts - 1));
    slot.attempts += 1;

    // [principles] one_for_one: "If a child process terminates, only that process is restarted."
    if (strategy === 'one_for_one') {
      if (backoff === 0) this.#startChild(slot);
      else slot.wait = this.#world.after(backoff, () => this.#take(() => this.#onWaited(slot)));
      return;
    }
    // [principles] one_for_all: "If a child process terminates, all other child processes are terminated, and then all
    // child processes, including the terminated one, are restarted." rest_for_one: "the rest of the child processes (that
    // is, the child processes after the terminated process in start order) are terminated" and restarted with it.
    const from = strategy === 'one_for_all' ? 0 : index;
    this.#descent = {
      from: Math.min(from, this.#descent?.from ?? from),
      aim: 'restart',
      notBefore: Math.max(now + backoff, this.#descent?.notBefore ?? 0),
      why: '',
    };
    this.#goDown();
  }

  #onWaited(slot: Slot): void {
    slot.wait = undefined;
    if (!this.#descent) this.#startChild(slot);
  }

  /** [principles] Children are terminated "in reverse start order", each one only when the one after it is down. */
  #goDown(): void {
    const descent = this.#descent;
    if (!descent || this.ended) return;
    for (const slot of this.#slots.slice(descent.from).reverse()) {
      if (slot.process && !this.#bringDown(slot)) return;
    }
    if (descent.aim === 'done') this.#end({ kind: 'done' });
    else if (descent.aim === 'crash') this.#end({ kind: 'crashed', why: descent.why });
    else this.#comeUp(descent);
  }

  #comeUp({ from, notBefore }: Descent): void {
    const left = notBefore - this.#world.now;
    this.#world.cancel(this.#groupWait);
    if (left > 0) {
      this.#groupWait = this.#world.after(left, () => this.#take(() => this.#goDown()));
      return;
    }
    this.#descent = undefined;
    this.#startFrom(from);
  }

  /**
   * [supervisor] "brutal_kill means that the child process is unconditionally terminated ... An integer time-out value means
   * that the supervisor tells the child process to terminate by calling exit(Child,shutdown) and then wait for an exit signal
   * ... If no exit signal is received within the specified number of milliseconds, the child process is unconditionally
   * terminated"; infinity waits for ever. Returns whether the child is down.
   */
  #bringDown(slot: Slot): boolean {
    const { process, spec } = slot;
    if (slot.asked || !process) return !process;
    if (spec.shutdown === 'brutal') {
      this.#kill(slot);
      return true;
    }
    slot.asked = true;
    if (Number.isFinite(spec.shutdown)) {
      const onLimit = (): void => {
        this.#kill(slot);
        this.#goDown();
      };
      slot.limit = this.#world.after(spec.shutdown, () => this.#take(onLimit));
    }
    process.shutdown();
    return false;
  }

  #kill(slot: Slot): void {
    const { process } = slot;
    this.#forget(slot);
    process?.stop();
  }

  #stopAll(): void {
    for (const slot of this.#slots.toReversed()) this.#kill(slot);
    this.#world.cancel(this.#groupWait);
    this.#world.cancel(this.#ownLimit);
  }

  #onOwnLimit(): void {
    this.#stopAll();
    this.#goDown();
  }

  #end(ending: ModelEnding): void {
    if (this.ended) return;
    this.ended = ending;
    this.#stopAll();
    this.#world.note(this.#parent.id, `-${this.name} ${textOf(ending)}`);
    this.#parent.onEnd(this, ending);
  }
}

/** A whole tree under its root. */
export class ModelTree {
  readonly world = new ModelWorld();
  readonly root: SupervisorProcess;
  readonly #deadlines: Timer[] = [];

  constructor(spec: SupervisorSpec) {
    const onEnd = (): void => {
      for (const timer of this.#deadlines) this.world.cancel(timer);
    };
    this.root = new SupervisorProcess(this.world, { id: 'outside', onEnd }, spec, 0);
  }

  /** Asks the root to end; what is left at the deadline is stopped. */
  shutdown(deadlineMs: number): void {
    if (this.root.ended) return;
    this.#deadlines.push(this.world.after(deadlineMs, () => this.root.stop()));
    this.root.shutdown();
  }
}
