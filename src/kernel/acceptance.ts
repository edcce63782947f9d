import type { AnyActorLogic, AnyStateMachine, StateValue } from 'xstate';
import { senderText } from './authority.js';
import type { MachineMeta } from './machine-meta.js';

/** One way in which an event may be taken; of several, the first whose guard holds is. */
export interface AcceptedBranch {
  /** The guard's name; absent when nothing is asked. */
  readonly guard?: string;
  /** The state that it leads to; absent when it stays. */
  readonly target?: string;
  /** What it means, in the machine's own words. */
  readonly description?: string;
}

/** An event that a machine takes in its present state. */
export interface AcceptedEvent {
  readonly event: string;
  /** Who may send it, in words. */
  readonly sender: string;
  readonly branches: readonly AcceptedBranch[];
}

type Node = AnyStateMachine['root'];

const doneStart = 'xstate.done.';
const errorStart = 'xstate.error.';

/** The machine that an actor's logic runs, compiled, wrapped or as it is; undefined when it runs none. */
export function machineOf(logic: AnyActorLogic): AnyStateMachine | undefined {
  if ('machine' in logic) return logic.machine as AnyStateMachine;
  return 'root' in logic ? (logic as unknown as AnyStateMachine) : undefined;
}

/**
 * The events that a machine takes in a state, read from its definition, in the order in which they stand there. Events that
 * are only refused (`meta.refuses`) are left out. Guards are named and not asked: most of them read the event.
 *
 * @param value the snapshot's `value`.
 * @example
 * acceptedEvents(door, 'closed'); // [{ event: 'push', sender: 'anyone', branches: [{ target: 'open' }] }]
 */
export function acceptedEvents(machine: AnyStateMachine, value: StateValue): readonly AcceptedEvent[] {
  const { senders } = metaOf(machine.root);
  const found = new Map<string, AcceptedBranch[]>();
  for (const node of activeNodes(machine.root, value)) {
    for (const [event, transitions] of node.transitions) {
      for (const { guard, target, description, meta } of transitions) {
        if ((meta as MachineMeta | undefined)?.refuses) continue;
        const branches = found.get(event) ?? [];
        found.set(event, branches);
        branches.push({
          ...(guard === undefined ? {} : { guard: guardText(guard) }),
          ...(target?.[0] === undefined ? {} : { target: target[0].key }),
          ...(description === undefined ? {} : { description }),
        });
      }
    }
  }
  return [...found].map(([event, branches]) => {
    const own = Object.hasOwn(senders ?? {}, event) ? senders?.[event] : undefined;
    return { event: eventText(event), sender: own ? senderText(own) : unnamedSender(event), branches };
  });
}

/** What a state means: the descriptions of the active states, outermost first. */
export function stateDescription(machine: AnyStateMachine, value: StateValue): string {
  const parts = activeNodes(machine.root, value).flatMap((node) => node.description ?? []);
  return parts.reverse().join('. ');
}

/** Whether a machine that is in this state has ended. */
export function isFinalState(machine: AnyStateMachine, value: string): boolean {
  return machine.root.states[value]?.type === 'final';
}

/** A state value in one word: `live`, or `open.waiting` for a nested one. */
export function stateText(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([key, inner]) => (inner === undefined ? key : `${key}.${stateText(inner)}`))
    .join(' & ');
}

/** The active states from the innermost out, then the root: the order in which XState asks them. */
function activeNodes(root: Node, value: StateValue): readonly Node[] {
  const inner = (node: Node, at: StateValue): Node[] => {
    const parts = typeof at === 'string' ? [[at, undefined] as const] : Object.entries(at);
    return parts.flatMap(([key, below]) => {
      const child: Node | undefined = node.states[key];
      if (!child) return [];
      const deeper = below === undefined || isEmpty(below) ? [] : inner(child, below);
      return [...deeper, child];
    });
  };
  return [...inner(root, value), root];
}

function isEmpty(value: StateValue): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function metaOf(root: Node): MachineMeta {
  return (root.meta as MachineMeta | undefined) ?? {};
}

function guardText(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name || 'a condition';
  return typeof guard === 'object' && guard !== null && 'type' in guard ? String(guard.type) : 'a condition';
}

/** XState's own events carry the ids of states and children; what matters is that started work ended. */
function eventText(event: string): string {
  if (event.startsWith(doneStart)) return 'done';
  return event.startsWith(errorStart) ? 'error' : event;
}

function unnamedSender(event: string): string {
  const isOwn = event.startsWith(doneStart) || event.startsWith(errorStart);
  return isOwn ? 'what it has started' : 'anyone';
}
