import type { AnyStateMachine } from 'xstate';
import { type AcceptedEvent, isFinalState, stateDescription } from './acceptance.js';
import type { Address } from './address.js';
import type { Clock } from './clock.js';
import type { PendingDeadline } from './deadlines.js';
import type { Directory } from './directory.js';
import type { JournalEntry } from './journal.js';

/** What an explanation needs to know beside the actor: what the record says. */
export interface RecordedState {
  readonly state: string;
  /** Since when, milliseconds since the epoch. */
  readonly since: number;
  readonly history: readonly JournalEntry[];
  /** The machine that runs from such a record. */
  readonly machine: AnyStateMachine;
}

/** The next thing that happens by itself. */
export interface NextStep {
  /** Wall time, milliseconds since the epoch. */
  readonly at: number;
  /** Which deadline it is. */
  readonly label: string;
  /** What it may lead to, in the machine's words; the first whose guard holds. */
  readonly leadsTo: readonly string[];
}

/** What happened to an actor, why it is where it is, who or what can move it, and what happens next. */
export interface Explanation {
  readonly address: Address;
  /** The state of its record; of the actor, when it has no record. */
  readonly state: string;
  /** The state of the running actor, which knows more states than its record; undefined when none runs. */
  readonly actorState: string | undefined;
  /** Whether it has ended for good. */
  readonly ended: boolean;
  /** Since when it is in `state`, milliseconds since the epoch. */
  readonly since: number | undefined;
  /** What the state means and waits for, in the machine's words. */
  readonly description: string;
  /** Oldest first. */
  readonly history: readonly JournalEntry[];
  readonly accepts: readonly AcceptedEvent[];
  /** Soonest first. */
  readonly deadlines: readonly PendingDeadline[];
  readonly next: NextStep | undefined;
}

/** What it takes to look at actors: a kernel has it. */
interface Explained {
  readonly directory: Directory;
  readonly clock: Clock;
}

/**
 * Explains an actor from what it is now and what its record says.
 *
 * @param recorded what is on disk of it; undefined for an actor without a record.
 * @returns undefined when there is neither an actor nor a record.
 * @example
 * const explanation = await explain(kernel, address('dispatch', id), { state, since, history, machine });
 * explanation?.accepts; // [{ event: 'cancel', sender: 'an operator with the role invoker', branches: […] }, …]
 */
export async function explain(
  kernel: Explained,
  address: Address,
  recorded: RecordedState,
): Promise<Explanation>;
export async function explain(kernel: Explained, address: Address): Promise<Explanation | undefined>;
export async function explain(
  { directory, clock }: Explained,
  address: Address,
  recorded?: RecordedState,
): Promise<Explanation | undefined> {
  const report = await directory.inspect(address);
  if (!report && !recorded) return undefined;
  const history = [...(recorded?.history ?? []), ...(report?.transitions ?? [])].sort((a, b) => a.at - b.at);
  if (!report) return recorded && resting(address, recorded, history);
  const state = recorded?.state ?? report.state;
  const { accepts, deadlines, description } = report;
  return {
    address,
    state,
    actorState: report.state,
    ended: false,
    since: recorded?.since ?? history.at(-1)?.at,
    description,
    history,
    accepts,
    deadlines,
    next: nextOf(deadlines, accepts, clock.now()),
  };
}

/** Of a record without an actor: it has ended, or its actor was given up and starts again with the daemon. */
function resting(address: Address, recorded: RecordedState, history: readonly JournalEntry[]): Explanation {
  const { state, since, machine } = recorded;
  const ended = isFinalState(machine, state);
  const meaning = stateDescription(machine, state);
  return {
    address,
    state,
    actorState: undefined,
    ended,
    since,
    description: ended
      ? meaning
      : `${meaning}. No actor runs for it; one starts from its record with the daemon`,
    history,
    accepts: [],
    deadlines: [],
    next: undefined,
  };
}

function nextOf(
  deadlines: readonly PendingDeadline[],
  accepts: readonly AcceptedEvent[],
  now: number,
): NextStep | undefined {
  const [first] = deadlines;
  if (!first) return undefined;
  const branches = accepts.find(({ event }) => event === first.event)?.branches ?? [];
  return {
    at: now + first.inMs,
    label: first.label,
    leadsTo: branches.flatMap(({ description, target }) => description ?? target ?? []),
  };
}
