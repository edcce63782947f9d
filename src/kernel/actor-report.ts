import type { AnyActorLogic, AnyActorRef, StateValue } from 'xstate';
import { type AcceptedEvent, acceptedEvents, machineOf, stateDescription } from './acceptance.js';
import type { Deadlines, PendingDeadline } from './deadlines.js';
import type { JournalEntry } from './journal.js';
import { stateText } from './machine-text.js';
import type { TransitionLog } from './transition-log.js';

/** What is seen of a running actor from outside (OTP's `sys:get_status/1`). Data only, so that it could cross a process. */
export interface ActorReport {
  /** Its machine's state; `active` when it runs none. */
  readonly state: string;
  readonly description: string;
  readonly accepts: readonly AcceptedEvent[];
  /** Soonest first. */
  readonly deadlines: readonly PendingDeadline[];
  /** The latest ones, if it is remembered; oldest first. */
  readonly transitions: readonly JournalEntry[];
}

/** Looks at an actor of this process; undefined when it has ended. */
export function reportOn(
  ref: AnyActorRef,
  deadlines: Deadlines,
  transitions: TransitionLog,
): ActorReport | undefined {
  const snapshot = ref.getSnapshot();
  if (snapshot.status !== 'active') return undefined;
  const machine = 'logic' in ref ? machineOf(ref.logic as AnyActorLogic) : undefined;
  const value: StateValue | undefined = snapshot.value;
  const hasStates = machine !== undefined && value !== undefined;
  return {
    state: hasStates ? stateText(value) : 'active',
    description: hasStates ? stateDescription(machine, value) : '',
    accepts: hasStates ? acceptedEvents(machine, value) : [],
    deadlines: deadlines.pending(ref),
    transitions: transitions.of(ref),
  };
}
