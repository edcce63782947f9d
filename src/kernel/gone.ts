import type { AnyActorRef } from 'xstate';

/*
 * XState runs a receiver on its sender's stack. So an actor that is stopped may be in the middle of an event, further down on
 * the stack, and ends only when that returns; whoever owned it may be stopped long before. What is remembered here lets a
 * supervisor wait for all of a child to be gone before the next incarnation starts.
 */

/** XState's own mark of an actor that takes no more events, left out of its types. */
const stoppedMark = 2;

/**
 * Whether an actor takes events. Its snapshot alone doesn't tell: XState leaves that of some kinds of logic `active` when
 * it stops them.
 */
export function isRunning(ref: AnyActorRef): boolean {
  const { _processingStatus: mark } = ref as unknown as { readonly _processingStatus: number };
  return mark !== stoppedMark && ref.getSnapshot().status === 'active';
}

interface Remains {
  count: number;
  readonly waiting: (() => void)[];
}

/** By actor that has ended: what it owned and could not be stopped at once. */
const remains = new WeakMap<AnyActorRef, Remains>();

/** Whether an actor has ended, and with it all that it owned. */
export function isGone(ref: AnyActorRef): boolean {
  return !isRunning(ref) && !remains.has(ref);
}

/** Remembers of those of an ending actor's children that were stopped, but are in the middle of an event, that it left them. */
export function leave(owner: AnyActorRef, children: Iterable<AnyActorRef>): void {
  for (const child of children) {
    if (isGone(child)) continue;
    const left = remains.get(owner) ?? { count: 0, waiting: [] };
    remains.set(owner, left);
    left.count += 1;
    whenGone(child, () => {
      left.count -= 1;
      if (left.count > 0) return;
      remains.delete(owner);
      for (const then of left.waiting) then();
    });
  }
}

/** Calls `then` when an actor that has been told to stop, and all that it owned, is gone. */
export function whenGone(ref: AnyActorRef, then: () => void): void {
  const left = remains.get(ref);
  if (left) left.waiting.push(then);
  else if (isRunning(ref)) {
    const again = (): void => whenGone(ref, then);
    ref.subscribe({ complete: again, error: again });
  } else then();
}
