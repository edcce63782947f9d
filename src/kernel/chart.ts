import type { AnyStateMachine } from 'xstate';
import { senderText } from './authority.js';
import type { MachineMeta } from './machine-meta.js';
import { actionText, eventText, guardText, type StateNode } from './machine-text.js';

/** A machine as a chart shows it: data read from its definition, nothing run. */
export interface Chart {
  readonly id: string;
  /** The machine itself: its transitions hold in every state, for events that the state does not take. */
  readonly root: ChartState;
  /** Who sends each event, in words, in the order of the machine's `meta.senders`. */
  readonly senders: ReadonlyMap<string, string>;
}

/** One state of a chart, with the states inside it. */
export interface ChartState {
  /** Unique in the machine, as in XState: `door.open`. */
  readonly id: string;
  readonly key: string;
  readonly kind: StateNode['type'];
  readonly description: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** The actors that run as long as the machine is in it. */
  readonly invokes: readonly string[];
  /** The id of the inner state that it begins in. */
  readonly initial: string | undefined;
  /** Those of one event stand together, in the order in which they are tried; those without an event come first. */
  readonly transitions: readonly ChartTransition[];
  readonly states: readonly ChartState[];
}

/** One way in which a state takes an event. */
export interface ChartTransition {
  /** Undefined when it is taken at once (`always`). */
  readonly event: string | undefined;
  /** Undefined when nothing is asked; `else` when those before it have been asked in vain. */
  readonly guard: string | undefined;
  /** The ids of the states that it enters; none when it stays and only acts. */
  readonly targets: readonly string[];
  readonly actions: readonly string[];
  readonly description: string | undefined;
  /** It only tells the sender why nothing happens (`meta.refuses`). */
  readonly refuses: boolean;
}

/** What a chart needs of XState's transition definition. */
interface Definition {
  readonly guard?: unknown;
  readonly target: readonly StateNode[] | undefined;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
  readonly description?: string | undefined;
  readonly meta?: unknown;
}

/**
 * Reads the chart of a machine from its definition: states, entry and exit, invoked actors, and all transitions, with
 * `always`, `after`, the ends of invoked actors and the machine's own among them. `mermaidOf` draws it.
 *
 * @example
 * const door = setup({}).createMachine({
 *   id: 'door',
 *   initial: 'closed',
 *   states: { closed: { on: { push: 'open' } }, open: { type: 'final' } },
 * });
 * chartOf(door).root.states.map(({ key }) => key); // ['closed', 'open']
 */
export function chartOf(machine: AnyStateMachine): Chart {
  const { senders = {} } = (machine.root.meta as MachineMeta | undefined) ?? {};
  return {
    id: machine.id,
    root: stateOf(machine.root),
    senders: new Map(Object.entries(senders).map(([event, sender]) => [event, senderText(sender)])),
  };
}

function stateOf(node: StateNode): ChartState {
  return {
    id: node.id,
    key: node.key,
    kind: node.type,
    description: node.description,
    entry: node.entry.filter(isOwn).map(actionText),
    exit: node.exit.filter(isOwn).map(actionText),
    invokes: node.invoke.map(({ src, id }) => (typeof src === 'string' ? src : id)),
    initial: node.type === 'compound' ? node.initial.target[0]?.id : undefined,
    transitions: [
      ...branchesOf(node, undefined, node.always ?? []),
      ...[...node.transitions].flatMap(([event, branches]) =>
        branchesOf(node, eventText(event, node), branches),
      ),
    ],
    states: Object.values<StateNode>(node.states).map(stateOf),
  };
}

function branchesOf(
  node: StateNode,
  event: string | undefined,
  branches: readonly Definition[],
): readonly ChartTransition[] {
  return branches.map((branch, index) => ({
    event,
    guard: branch.guard === undefined ? (index > 0 ? 'else' : undefined) : guardText(branch.guard),
    targets: leaves(node, branch) ? (branch.target ?? []).map(({ id }) => id) : [],
    actions: branch.actions.map(actionText),
    description: branch.description,
    refuses: (branch.meta as MachineMeta | undefined)?.refuses === true,
  }));
}

/** XState does not leave a state that targets itself, unless it is told to re-enter it. */
function leaves(node: StateNode, { target, reenter }: Definition): boolean {
  return reenter || node.type !== 'atomic' || target?.length !== 1 || target[0] !== node;
}

/** Not the timers by which XState carries out `after`: its transitions say that already. */
function isOwn(action: unknown): boolean {
  if (typeof action !== 'function') return true;
  if ('sendId' in action) return !String(action.sendId).startsWith('xstate.after.');
  return !('id' in action && String(action.id).startsWith('xstate.after.'));
}
