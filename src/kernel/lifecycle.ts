import type { AnyActorLogic, AnyActorRef, EventObject } from 'xstate';

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
    if (event.type !== stopType) return logic.transition(snapshot, event, scope);
    const last = logic.transition(snapshot, event, scope);
    // Deferred: XState stops a machine's own children after the transition, and they must be gone before a restart.
    scope.defer(() => scope.self._parent?.send({ type: stoppedType, actorId: scope.id }));
    // Not every logic marks its snapshot, and the directory tells the living from the dead by it.
    return { ...last, status: 'stopped', output: undefined, error: undefined };
  };
  return wrapped;
}

/**
 * Stops the children that a crashed machine left running: XState stops them when a machine ends or is stopped, but not
 * when it throws.
 */
export function stopOrphans(crashed: AnyActorRef): void {
  const snapshot: unknown = crashed.getSnapshot();
  if (typeof snapshot !== 'object' || snapshot === null || !('children' in snapshot)) return;
  const orphans = snapshot.children;
  if (typeof orphans !== 'object' || orphans === null) return;
  for (const orphan of Object.values(orphans) as AnyActorRef[]) {
    if (orphan.getSnapshot().status === 'active') orphan.send({ type: stopType });
  }
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
