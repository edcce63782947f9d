import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { Address } from './address.js';
import type { Backoff } from './backoff.js';
import type { DeadlineHandle } from './deadlines.js';
import type { Kernel } from './kernel.js';
import { type Ending, reporting } from './lifecycle.js';

/**
 * When a child that ended is started again (OTP's restart types): `permanent` always, `transient` when it crashed,
 * `temporary` never.
 */
export type RestartKind = 'permanent' | 'transient' | 'temporary';

/** One child of a supervisor. */
export interface ChildSpec {
  /** Unique among its siblings. */
  readonly id: string;
  /** Where it can be reached, for as long as it runs. */
  readonly address?: Address;
  readonly logic: AnyActorLogic;
  /** What each incarnation starts with. A function is called for each start. */
  readonly input?: unknown;
  readonly restart: RestartKind;
  /**
   * How it is stopped: `brutal` at once; otherwise it gets `kernel.shutdown` and has this many milliseconds to end by
   * itself. `Infinity`, for child supervisors with limits of their own, waits for ever.
   */
  readonly shutdown: 'brutal' | number;
  /** How many of its latest transitions are kept in memory, for explanations. Default: none. */
  readonly remember?: number;
}

/** Where a child is. `waiting`: it will be started again after its backoff. `ended`: it won't, unless with its group. */
export type ChildPhase = 'new' | 'running' | 'stopping' | 'waiting' | 'down' | 'ended';

/** What a supervisor shows of a child. */
export interface ChildStatus {
  readonly id: string;
  readonly address: Address | undefined;
  readonly phase: ChildPhase;
  /** How often it was started. */
  readonly starts: number;
}

/** A child's place in its supervisor, over all incarnations. */
export class Child implements ChildStatus {
  readonly spec: ChildSpec;
  readonly backoff: Backoff;
  phase: ChildPhase = 'new';
  starts = 0;
  ref: AnyActorRef | undefined;
  /** Monotonic milliseconds. */
  startedAt = 0;
  /** The deadline of its stop, or of its next start. */
  timer: DeadlineHandle | undefined;
  readonly #logic: AnyActorLogic;

  constructor(spec: ChildSpec, backoff: Backoff) {
    this.spec = spec;
    this.backoff = backoff;
    this.#logic = reporting(spec.logic);
  }

  get id(): string {
    return this.spec.id;
  }

  get address(): Address | undefined {
    return this.spec.address;
  }

  /** Starts a new incarnation under a fresh actor id, so that signals of an earlier one can't be mistaken for its. */
  start(kernel: Kernel, parent: AnyActorRef): void {
    this.starts += 1;
    this.startedAt = kernel.clock.monotonic();
    const { input, address, remember = 0 } = this.spec;
    const ref: AnyActorRef = createActor(kernel.transitions.remembering(this.#logic, remember), {
      parent,
      id: `${this.spec.id}#${this.starts}`,
      input: typeof input === 'function' ? input() : input,
    });
    // Registered first: what it sends while it starts may be answered before `start` returns.
    if (address !== undefined) kernel.directory.register(address, ref);
    this.ref = ref;
    this.phase = 'running';
    ref.start();
  }

  /** Forgets the incarnation that ended and everything that it had in the kernel. */
  clear(kernel: Kernel, ending: Ending): void {
    const { ref } = this;
    this.ref = undefined;
    this.phase = 'down';
    this.cancelTimer(kernel);
    if (!ref) return;
    kernel.deadlines.release(ref);
    if (this.spec.address !== undefined) kernel.directory.unregister(this.spec.address, ref, ending);
  }

  cancelTimer(kernel: Kernel): void {
    if (this.timer) kernel.deadlines.clear(this.timer);
    this.timer = undefined;
  }

  /** Whether OTP's rules start it again after this end. */
  restartsAfter(ending: Ending['kind']): boolean {
    if (this.spec.restart === 'transient') return ending === 'crashed';
    return this.spec.restart === 'permanent';
  }
}
