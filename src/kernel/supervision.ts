import type { ActorScope, AnyActorRef, EventObject } from 'xstate';
import { jitteredBackoff } from './backoff.js';
import { Child } from './child.js';
import type { DeadlineHandle } from './deadlines.js';
import { toAppError } from './errors.js';
import { isGone, isRunning, leave, whenGone } from './gone.js';
import type { Kernel } from './kernel.js';
import { kernelError } from './kernel-errors.js';
import {
  type Ending,
  endedChild,
  endingOf,
  isSettled,
  lastEnding,
  type ShutdownEvent,
  stopOrphans,
} from './lifecycle.js';
import { RestartIntensity } from './restart-intensity.js';
import type { SupervisorOptions, SupervisorSnapshot } from './supervisor.js';

type Scope = ActorScope<SupervisorSnapshot, EventObject>;

/** What the supervisor sends to itself: timers and failed starts come through its mailbox like everything else. */
type OwnEvent =
  | {
      readonly type: 'supervisor.start_failed';
      readonly child: Child;
      readonly start: number;
      readonly error: unknown;
    }
  | { readonly type: 'supervisor.restart_due'; readonly child: Child | undefined }
  | { readonly type: 'supervisor.stop_overdue'; readonly child: Child; readonly ref: AnyActorRef }
  | { readonly type: 'supervisor.shutdown_overdue' };

/**
 * Children from `from` on are being stopped, last one first; then `goal` happens. One at a time: a second crash or a
 * shutdown in the middle widens or replaces it.
 */
interface Descent {
  from: number;
  goal: 'restart' | 'done' | 'error';
  reason: string;
  /** Restart: not before this, monotonic milliseconds. */
  dueAt: number;
  error?: unknown;
}

/** The state of one supervisor actor: what `supervisor()` does with each event. */
export class Supervision {
  readonly #options: SupervisorOptions;
  readonly #kernel: Kernel;
  readonly #scope: Scope;
  readonly #table: Child[];
  readonly #intensity: RestartIntensity;
  #descent: Descent | undefined;
  #groupTimer: DeadlineHandle | undefined;
  snapshot: SupervisorSnapshot;

  constructor(options: SupervisorOptions, scope: Scope) {
    const { kernel, backoff, intensity } = options;
    this.#options = options;
    this.#kernel = kernel;
    this.#scope = scope;
    this.#intensity = new RestartIntensity(intensity?.restarts ?? 3, intensity?.withinMs ?? 30_000);
    const waits = {
      firstMs: backoff?.firstMs ?? 0,
      baseMs: backoff?.baseMs ?? 200,
      maxMs: backoff?.maxMs ?? 30_000,
      random: kernel.random,
    };
    this.#table = options.children.map((spec) => new Child(spec, jitteredBackoff(waits)));
    this.snapshot = { status: 'active', output: undefined, error: undefined, table: this.#table };
  }

  start(): void {
    this.#startFrom(0);
  }

  receive(event: EventObject): void {
    const ended = endedChild(event);
    if (ended !== undefined) {
      const child = this.#table.find(({ ref }) => ref?.id === ended);
      if (child?.ref && isSettled(child.ref, event, this.#scope.self)) this.#onEnd(child, endingOf(event));
      return;
    }
    if (event.type === 'kernel.shutdown') {
      this.#shutdown((event as ShutdownEvent).reason);
      return;
    }
    this.#onOwn(event as OwnEvent);
  }

  /** Stops everything now, last child first, because this supervisor ends. */
  stopAll(): void {
    for (const child of this.#table.toReversed()) {
      const { ref } = child;
      this.#force(child);
      if (!ref) continue;
      // Its signal will find nobody.
      whenGone(ref, () => child.clear(this.#kernel, lastEnding(ref)));
      leave(this.#scope.self, [ref]);
    }
    this.#kernel.deadlines.release(this.#scope.self);
  }

  #onOwn(event: OwnEvent): void {
    switch (event.type) {
      case 'supervisor.start_failed':
        // A sibling's crash that came first may have started it again.
        if (event.child.starts !== event.start) return;
        this.#onEnd(event.child, { kind: 'crashed', error: event.error });
        return;
      case 'supervisor.restart_due':
        if (event.child === undefined) this.#descend();
        else if (event.child.phase === 'waiting' && !this.#descent) this.#start(event.child);
        return;
      case 'supervisor.stop_overdue':
        if (event.child.ref !== event.ref) return;
        this.#kernel.log.warn(
          { supervisor: this.#scope.id, child: event.child.id, limitMs: event.child.spec.shutdown },
          'A child did not end within its shutdown limit and was stopped',
        );
        this.#force(event.child);
        this.#descend();
        return;
      case 'supervisor.shutdown_overdue':
        this.#kernel.log.warn(
          { supervisor: this.#scope.id, limitMs: this.#options.shutdownMs },
          'A supervisor reached its shutdown limit; the rest of its children were stopped',
        );
        for (const child of this.#table.toReversed()) this.#force(child);
        this.#descend();
        return;
      default:
        this.#kernel.log.warn(
          { supervisor: this.#scope.id, event: (event as EventObject).type },
          'A supervisor got an event that it does not know',
        );
    }
  }

  #startFrom(index: number): void {
    for (const child of this.#table.slice(index)) {
      const once = child.spec.restart === 'temporary' && child.phase !== 'new';
      if (once) child.phase = 'ended';
      if (once || child.ref) continue;
      // Those after it may need it: the restart of this one, under way in the mailbox, starts them too.
      if (!this.#start(child) && this.#options.strategy !== 'one_for_one') return;
    }
  }

  /** Returns false when it failed at once and will be restarted. */
  #start(child: Child): boolean {
    child.cancelTimer(this.#kernel);
    try {
      child.start(this.#kernel, this.#scope.self);
    } catch (error) {
      child.phase = 'down';
      this.#send({ type: 'supervisor.start_failed', child, start: child.starts, error });
      return !child.restartsAfter('crashed');
    }
    const status = child.ref?.getSnapshot().status;
    return status === 'active' || !child.restartsAfter(status === 'error' ? 'crashed' : 'done');
  }

  #onEnd(child: Child, ending: Ending): void {
    child.clear(this.#kernel, ending);
    const context = { supervisor: this.#scope.id, child: child.id, restart: child.spec.restart };
    if (ending.kind === 'crashed')
      this.#kernel.log.error({ ...context, err: ending.error }, 'A child crashed');
    else this.#kernel.log.debug({ ...context, ending: ending.kind }, 'A child ended');

    const index = this.#table.indexOf(child);
    if (this.#descent && index >= this.#descent.from) this.#descend();
    else if (child.restartsAfter(ending.kind)) this.#restart(child, index, ending);
    else child.phase = 'ended';
  }

  #restart(child: Child, index: number, ending: Ending): void {
    const now = this.#kernel.clock.monotonic();
    if (!this.#intensity.allows(now)) {
      this.#escalate(child, ending);
      return;
    }
    if (now - child.startedAt >= (this.#options.backoff?.quietMs ?? 30_000)) child.backoff.reset();
    const delay = child.backoff.next();

    const { strategy } = this.#options;
    if (strategy === 'one_for_one') {
      if (delay > 0) {
        child.phase = 'waiting';
        child.timer = this.#sendLater(
          delay,
          { type: 'supervisor.restart_due', child },
          `restart ${child.id}`,
        );
      } else this.#start(child);
      return;
    }
    const from = strategy === 'one_for_all' ? 0 : index;
    this.#descent = {
      from: Math.min(from, this.#descent?.from ?? from),
      goal: 'restart',
      reason: `restart with ${child.id}`,
      dueAt: Math.max(now + delay, this.#descent?.dueAt ?? 0),
    };
    this.#descend();
  }

  #escalate(child: Child, ending: Ending): void {
    const supervisor = this.#scope.id;
    const { restarts, withinMs } = this.#intensity;
    const cause =
      ending.kind === 'crashed'
        ? toAppError(ending.error)
        : kernelError('child_ended', `The permanent child ${child.id} ended (${ending.kind})`, {
            hint: 'A child that is meant to end is transient or temporary',
          });
    const error = kernelError(
      'restart_intensity',
      `${supervisor} gave up on ${child.id}: more than ${restarts} restarts in ${withinMs} ms; last: ${cause.message}`,
      {
        hint: 'Look at the cause; restarting did not cure it',
        details: { supervisor, child: child.id },
        cause,
      },
    );
    this.#descent = { from: 0, goal: 'error', reason: error.message, dueAt: 0, error };
    this.#descend();
  }

  #shutdown(reason: string): void {
    if (this.#descent && this.#descent.goal !== 'restart') return;
    const { shutdownMs = Number.POSITIVE_INFINITY } = this.#options;
    if (Number.isFinite(shutdownMs)) {
      this.#sendLater(shutdownMs, { type: 'supervisor.shutdown_overdue' }, 'shutdown limit');
    }
    this.#descent = { from: 0, goal: 'done', reason, dueAt: 0 };
    this.#descend();
  }

  /** Goes on stopping, last child first, until one has to be waited for; reaches the goal when all are down. */
  #descend(): void {
    const descent = this.#descent;
    if (!descent || this.snapshot.status !== 'active') return;
    for (let index = this.#table.length - 1; index >= descent.from; index -= 1) {
      const child = this.#table[index];
      if (child && !this.#stop(child, descent.reason)) return;
    }
    if (descent.goal === 'restart') {
      this.#restartGroup(descent);
      return;
    }
    this.#kernel.deadlines.release(this.#scope.self);
    this.snapshot =
      descent.goal === 'done'
        ? { status: 'done', output: undefined, error: undefined, table: this.#table }
        : { status: 'error', output: undefined, error: descent.error, table: this.#table };
  }

  #restartGroup(descent: Descent): void {
    const left = descent.dueAt - this.#kernel.clock.monotonic();
    if (left > 0) {
      if (this.#groupTimer) this.#kernel.deadlines.clear(this.#groupTimer);
      const label = `restart from ${this.#table[descent.from]?.id ?? 'the first'}`;
      this.#groupTimer = this.#sendLater(left, { type: 'supervisor.restart_due', child: undefined }, label);
      return;
    }
    this.#groupTimer = undefined;
    this.#descent = undefined;
    this.#startFrom(descent.from);
  }

  /** Returns whether the child is down; if not, its end or its limit goes on with the descent. */
  #stop(child: Child, reason: string): boolean {
    const { ref, spec } = child;
    if (!ref) return true;
    // One that has ended already is down when its signal, which is on its way, has been handled.
    if (child.phase === 'stopping' || ref.getSnapshot().status !== 'active') return false;
    if (spec.shutdown === 'brutal') return this.#force(child);
    child.phase = 'stopping';
    if (Number.isFinite(spec.shutdown)) {
      child.timer = this.#sendLater(
        spec.shutdown,
        { type: 'supervisor.stop_overdue', child, ref },
        `stop ${child.id}`,
      );
    }
    ref.send({ type: 'kernel.shutdown', reason } satisfies ShutdownEvent);
    return false;
  }

  /**
   * Returns whether the child is down. It isn't when it, or what it owns, is in the middle of an event, further down on
   * this stack: then it ends after that, and its signal goes on with the descent.
   */
  #force(child: Child): boolean {
    const { ref } = child;
    if (ref) {
      if (isRunning(ref)) this.#scope.stopChild(ref);
      else stopOrphans(ref);
      if (!isGone(ref)) {
        child.phase = 'stopping';
        return false;
      }
    }
    child.clear(this.#kernel, ref ? lastEnding(ref) : { kind: 'stopped' });
    return true;
  }

  #send(event: OwnEvent): void {
    this.#scope.self.send(event);
  }

  #sendLater(delayMs: number, event: OwnEvent, label: string): DeadlineHandle {
    return this.#kernel.deadlines.set(this.#scope.self, delayMs, () => this.#send(event), { label });
  }
}
