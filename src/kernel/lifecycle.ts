import type { AnyActorLogic, AnyActorRef, EventObject } from 'xstate';
import { isGone, isRunning, leave, whenGone } from './gone.js';

/**
 * Asks an actor to end by itself: finish or hand over what it does, then reach a final state. Who doesn't is stopped at
 * its supervisor's limit. XState's own stop runs no exit actions, so this is the only graceful end.
 */
export interface ShutdownEvent {
  readonly type: 'kernel.shutdown';
  readonly reason: string;
}

/** How an actor ended. */
export type Ending =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'crashed'; readonly error: unknown }
  | { readonly kind: 'stopped' };

/** Why a watched address is down. `absent`: there was nobody when the watch began. */
export type DownReason = Ending | { readonly kind: 'absent' };

/** XState's own event that ends an actor: what `stopChild` enqueues. */
export const stopType = 'xstate.stop';

const stoppedType = 'kernel.child_stopped';
const doneStart = 'xstate.done.actor.';
const errorStart = 'xstate.error.actor.';

/** What XState and {@link reporting} relay to a parent when a child ends. */
interface ChildSignal extends EventObject {
  readonly actorId: string;
  readonly output?: unknown;
  readonly error?: unknown;
}

function isChildSignal(event: EventObject): event is ChildSignal {
  return event.type.startsWith(doneStart) || event.type.startsWith(errorStart) || event.type === stoppedType;
}

/** The id of the child whose end an event reports, or undefined for any other event. */
export function endedChild(event: EventObject): string | undefined {
  return isChildSignal(event) ? event.actorId : undefined;
}

/** How the child of a signal (see {@link endedChild}) ended. */
export function endingOf(event: EventObject): Ending {
  const signal = event as ChildSignal;
  if (event.type.startsWith(doneStart)) return { kind: 'done', output: signal.output };
  if (event.type.startsWith(errorStart)) return { kind: 'crashed', error: signal.error };
  return { kind: 'stopped' };
}

/**
 * How an actor ended that is stopped by force: it may have ended before, by itself, while its signal still waits in its
 * supervisor's mailbox.
 */
export function lastEnding(ref: AnyActorRef): Ending {
  const { status, error, output } = ref.getSnapshot();
  if (status === 'error') return { kind: 'crashed', error };
  return status === 'done' ? { kind: 'done', output } : { kind: 'stopped' };
}

/**
 * The same logic, whose actors tell their parent when they are stopped. XState relays "done" and "error" but not
 * "stopped", so a supervisor would take a child that someone else stopped for alive.
 */
export function reporting<T extends AnyActorLogic>(logic: T): T {
  const wrapped: T = Object.create(logic);
  wrapped.transition = (snapshot, event, scope) => {
    const last = logic.transition(snapshot, event, scope);
    const isStopped = event.type === stopType;
    if (!isStopped && last.status !== 'done') return last;
    // Deferred: XState stops a machine's own children after the transition, and they must be gone before a restart.
    const owned = ownedBy(snapshot);
    if (owned.length > 0) scope.defer(() => leave(scope.self, owned));
    if (!isStopped) return last;
    scope.defer(() => {
      const { _parent: parent } = scope.self;
      if (parent && isRunning(parent)) parent.send({ type: stoppedType, actorId: scope.id });
    });
    // Not every logic marks its snapshot, and the directory tells the living from the dead by it.
    return { ...last, status: 'stopped', output: undefined, error: undefined };
  };
  return wrapped;
}

/**
 * Whether a child that ended is gone, with all that it owned. If it isn't, its supervisor gets the signal once more when
 * it is.
 */
export function isSettled(child: AnyActorRef, signal: EventObject, supervisor: AnyActorRef): boolean {
  stopOrphans(child);
  if (isGone(child)) return true;
  whenGone(child, () => {
    if (isRunning(supervisor)) supervisor.send(signal);
  });
  return false;
}

/** The actors below a machine, as far as snapshots tell of them. */
function ownedBy(snapshot: unknown): readonly AnyActorRef[] {
  if (typeof snapshot !== 'object' || snapshot === null || !('children' in snapshot)) return [];
  const { children } = snapshot;
  if (typeof children !== 'object' || children === null) return [];
  const owned: AnyActorRef[] = Object.values(children);
  return owned.flatMap((child) => [child, ...ownedBy(child.getSnapshot())]);
}

/**
 * Stops the children that a crashed machine left running: XState stops them when a machine ends or is stopped, but not
 * when it throws.
 */
export function stopOrphans(ended: AnyActorRef): void {
  const snapshot = ended.getSnapshot();
  if (snapshot.status !== 'error') return;
  const orphans = ownedBy(snapshot).filter(isRunning);
  for (const orphan of orphans) {
    if (isRunning(orphan)) orphan.send({ type: stopType });
  }
  leave(ended, orphans);
}

/**
 * The same logic, whose actors stop the children they own when they crash. Supervisors do this for their own children;
 * wrap a machine in it when another machine invokes it and it invokes or spawns others.
 *
 * @example
 * const parent = setup({ actors: { worker: contained(machineThatInvokes) } }).createMachine({ invoke: { src: 'worker' } });
 */
export function contained<T extends AnyActorLogic>(logic: T): T {
  const wrapped: T = Object.create(logic);
  wrapped.start = (snapshot, scope) => {
    // The only hook that sees every crash: actions of the first state run after `start`, outside of `transition`.
    scope.self.subscribe({ error: () => stopOrphans(scope.self) });
    logic.start?.(snapshot, scope);
  };
  return wrapped;
}
