import type { AnyActorLogic, AnyStateMachine, StateValue } from 'xstate';
import { senderText } from './authority.js';
import type { MachineMeta } from './machine-meta.js';
import { eventText, guardText, type StateNode } from './machine-text.js';

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
  /** Whether it takes permission: it comes from a verified caller. */
  readonly permission: boolean;
  readonly branches: readonly AcceptedBranch[];
}

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
 * acceptedEvents(door, 'closed'); // [{ event: 'push', sender: 'anyone', permission: false, branches: [{ target: 'open' }] }]
 */
export function acceptedEvents(machine: AnyStateMachine, value: StateValue): readonly AcceptedEvent[] {
  const { senders } = metaOf(machine.root);
  const found = new Map<string, { readonly text: string; readonly branches: AcceptedBranch[] }>();
  for (const node of activeNodes(machine.root, value)) {
    for (const [event, transitions] of node.transitions) {
      for (const { guard, target, description, meta } of transitions) {
        if ((meta as MachineMeta | undefined)?.refuses) continue;
        const taken = found.get(event) ?? { text: eventText(event, node), branches: [] };
        found.set(event, taken);
        taken.branches.push({
          ...(guard === undefined ? {} : { guard: guardText(guard) }),
          ...(target?.[0] === undefined ? {} : { target: target[0].key }),
          ...(description === undefined ? {} : { description }),
        });
      }
    }
  }
  return [...found].map(([event, { text, branches }]) => {
    const own = Object.hasOwn(senders ?? {}, event) ? senders?.[event] : undefined;
    const sender = own ? senderText(own) : unnamedSender(event);
    return { event: text, sender, permission: own !== undefined && !('from' in own), branches };
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

/** The active states from the innermost out, then the root: the order in which XState asks them. */
function activeNodes(root: StateNode, value: StateValue): readonly StateNode[] {
  const inner = (node: StateNode, at: StateValue): StateNode[] => {
    const parts = typeof at === 'string' ? [[at, undefined] as const] : Object.entries(at);
    return parts.flatMap(([key, below]) => {
      const child: StateNode | undefined = node.states[key];
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

function metaOf(root: StateNode): MachineMeta {
  return (root.meta as MachineMeta | undefined) ?? {};
}

function unnamedSender(event: string): string {
  if (event.startsWith('xstate.after.')) return 'its delay';
  return event.startsWith('xstate.') ? 'what it has started' : 'anyone';
}
