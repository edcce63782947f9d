import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot, StateValue } from 'xstate';
import { machineOf } from './acceptance.js';
import { senderText, type VerifiedCaller } from './authority.js';
import type { Clock } from './clock.js';
import { causeOf, type JournalEntry } from './journal.js';
import type { MachineMeta } from './machine-meta.js';
import { stateText } from './machine-text.js';

/**
 * The latest transitions of actors that have no record of their own, kept in memory for as long as the actor is (OTP's
 * `sys:log/2`). It costs nothing for actors that are not asked to be remembered.
 */
export class TransitionLog {
  readonly #clock: Clock;
  readonly #entries = new WeakMap<AnyActorRef, JournalEntry[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same logic, whose actors' latest `keep` transitions are remembered. */
  remembering<T extends AnyActorLogic>(logic: T, keep: number): T {
    if (keep < 1) return logic;
    const senders = (machineOf(logic)?.root.meta as MachineMeta | undefined)?.senders;
    const wrapped: T = Object.create(logic);
    wrapped.transition = (snapshot, event, scope) => {
      const next = logic.transition(snapshot, event, scope);
      const from = placeOf(snapshot);
      const to = placeOf(next);
      if (from !== to) {
        const sender = Object.hasOwn(senders ?? {}, event.type) ? senders?.[event.type] : undefined;
        this.#add(scope.self, keep, from, to, event, sender ? senderText(sender) : 'the kernel');
      }
      return next;
    };
    return wrapped;
  }

  /** What is remembered of an actor, oldest first. */
  of(ref: AnyActorRef): readonly JournalEntry[] {
    return [...(this.#entries.get(ref) ?? [])];
  }

  #add(
    ref: AnyActorRef,
    keep: number,
    from: string,
    to: string,
    event: EventObject & { readonly caller?: VerifiedCaller },
    sender: string,
  ): void {
    const entries = this.#entries.get(ref) ?? [];
    this.#entries.set(ref, entries);
    const version = (entries.at(-1)?.version ?? 0) + 1;
    entries.push({ ...causeOf(event, sender), version, at: this.#clock.now(), from, to });
    if (entries.length > keep) entries.shift();
  }
}

/** Where an actor is: its machine's state, or its status when it runs none. */
function placeOf(snapshot: Snapshot<unknown>): string {
  if ('value' in snapshot && snapshot.status === 'active') return stateText(snapshot.value as StateValue);
  return snapshot.status;
}
