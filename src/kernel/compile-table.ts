import type { AnyStateMachine } from 'xstate';
import { type Action, actionOf, type Guard, guardName, guardOf, type Refuse } from './compile-actions.js';
import { kernelError } from './kernel-errors.js';

/** A flat machine as a table: everything that can be known before the first event is looked up or joined here. */
export interface Table {
  readonly machineId: string;
  readonly initial: State;
  /** What the first state is entered with: the root's entry, the initial transition, the state's entry. */
  readonly start: readonly Action[];
  readonly states: ReadonlyMap<string, State>;
  /** The machine's output: a value, or a function of the context and the final state's own event. */
  readonly output: unknown;
  readonly maxIterations: number;
}

export interface State {
  readonly key: string;
  readonly final: boolean;
  readonly tags: ReadonlySet<string>;
  /** For each event type, what may be taken, in order: the state's own, then the root's. */
  readonly on: Map<string, readonly Transition[]>;
  readonly always: readonly Transition[];
  /** Of a final state: its output, and what runs once the machine is done. */
  readonly output: unknown;
  readonly doneType: string;
  readonly completion: readonly Action[];
}

export interface Transition {
  readonly guard: Guard | undefined;
  /** Where it leads; the state in which it is taken when it has no target. */
  readonly target: State;
  /** Exit, transition and entry actions in the order in which they run. */
  readonly actions: readonly Action[];
  /** It neither acts nor leads anywhere: it only keeps the root from handling the event. */
  readonly inert: boolean;
  /** For the error when the guard throws. */
  readonly guardName: string | undefined;
  readonly sourceId: string;
}

type Node = AnyStateMachine['root'];
type Definition = Node['transitions'] extends Map<string, (infer One)[]> ? One : never;

interface Draft extends State {
  always: readonly Transition[];
}

/** Without a bound of its own a machine that never settles would block the process. */
const defaultMaxIterations = 1_000;

const nodeConstructs = ['invoke', 'after', 'history', 'onDone', 'route'] as const;

/**
 * Reads the table from a machine's definition.
 *
 * @throws AppError `kernel.bad_machine` that names the state and what can't be compiled.
 */
export function tableOf(machine: AnyStateMachine): Table {
  return new Reader(machine).table();
}

class Reader {
  readonly #machine: AnyStateMachine;
  readonly #root: Node;
  readonly #drafts = new Map<Node, Draft>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    this.#root = machine.root;
  }

  table(): Table {
    this.#checkRoot();
    const nodes: Node[] = Object.values(this.#root.states);
    for (const node of nodes) this.#checkState(node);
    for (const node of nodes) this.#drafts.set(node, this.#draft(node));
    for (const [node, draft] of this.#drafts) this.#connect(node, draft);

    const { actions, target } = this.#root.initial;
    const first = target[0] ?? this.#root;
    const { maxIterations = defaultMaxIterations } = this.#machine.options;
    return {
      machineId: this.#machine.id,
      initial: this.#draftOf(first, this.#refusal(this.#root)),
      start: [
        ...this.#actions(this.#root, this.#root.entry),
        ...this.#actions(this.#root, actions),
        ...this.#actions(first, first.entry),
      ],
      states: new Map([...this.#drafts.values()].map((draft) => [draft.key, draft])),
      output: this.#root.output,
      maxIterations: Number.isFinite(maxIterations) ? maxIterations : defaultMaxIterations,
    };
  }

  #checkRoot(): void {
    const refuse = this.#refusal(this.#root);
    if (this.#root.type === 'parallel') refuse('parallel states');
    if (this.#root.type !== 'compound') refuse('no states');
    this.#checkConstructs(this.#root, refuse);
  }

  #checkState(node: Node): void {
    const refuse = this.#refusal(node);
    if (node.type === 'parallel') refuse('parallel states');
    if (node.type === 'history') refuse('a history state');
    if (node.type === 'compound') refuse('nested states');
    this.#checkConstructs(node, refuse);
  }

  #checkConstructs(node: Node, refuse: Refuse): void {
    for (const construct of nodeConstructs) {
      if (construct in node.config && node.config[construct] !== undefined) refuse(`'${construct}'`);
    }
    for (const descriptor of node.transitions.keys()) {
      if (descriptor.includes('*')) refuse(`the wildcard event '${descriptor}'`);
      if (descriptor.startsWith('xstate.')) refuse(`XState's own event '${descriptor}'`);
    }
  }

  #draft(node: Node): Draft {
    return {
      key: node.key,
      final: node.type === 'final',
      tags: new Set([...this.#root.tags, ...node.tags]),
      on: new Map(),
      always: [],
      output: node.output,
      doneType: `xstate.done.state.${node.id}`,
      completion: [...this.#actions(node, node.exit), ...this.#actions(this.#root, this.#root.exit)],
    };
  }

  /** Joins the transitions of a state with the root's: XState asks the root when the state has none to take. */
  #connect(node: Node, draft: Draft): void {
    for (const type of new Set([...node.transitions.keys(), ...this.#root.transitions.keys()])) {
      const definitions = [
        ...(node.transitions.get(type) ?? []),
        ...(this.#root.transitions.get(type) ?? []),
      ];
      draft.on.set(
        type,
        definitions.map((definition) => this.#transition(node, draft, definition)),
      );
    }
    draft.always = [...(node.always ?? []), ...(this.#root.always ?? [])].map((definition) =>
      this.#transition(node, draft, definition),
    );
  }

  #transition(node: Node, draft: Draft, definition: Definition): Transition {
    const { source, guard, reenter } = definition;
    const refuse = this.#refusal(source);
    const own = this.#actions(source, definition.actions);
    const [target, second] = definition.target ?? [];
    if (second) refuse('a transition with several targets');
    // XState leaves and enters a state that targets itself only when told to; the root's transitions always do.
    const moves = target !== undefined && (target !== source || reenter);
    // A root that is re-entered is left and entered like a state around the state.
    const around = moves && source === this.#root && reenter;
    const actions = moves
      ? [
          ...this.#actions(node, node.exit),
          ...(around ? this.#actions(this.#root, this.#root.exit) : []),
          ...own,
          ...(around ? this.#actions(this.#root, this.#root.entry) : []),
          ...this.#actions(target, target.entry),
        ]
      : own;
    return {
      guard: guard ? guardOf(guard, this.#machine.implementations.guards, refuse) : undefined,
      target: target ? this.#draftOf(target, refuse) : draft,
      actions,
      inert: target === undefined && own.length === 0,
      guardName: guard ? guardName(guard) : undefined,
      sourceId: source.id,
    };
  }

  #draftOf(target: Node, refuse: Refuse): Draft {
    return this.#drafts.get(target) ?? refuse('a transition to the machine itself');
  }

  #actions(node: Node, references: readonly unknown[]): readonly Action[] {
    const refuse = this.#refusal(node);
    return references.map((reference) => actionOf(reference, this.#machine.implementations.actions, refuse));
  }

  #refusal(node: Node): Refuse {
    const where = node === this.#root ? 'its root' : `its state '${node.key}'`;
    return (construct) => {
      throw kernelError(
        'bad_machine',
        `The machine '${this.#machine.id}' can't be compiled: ${where} has ${construct}`,
        {
          hint: 'Take it out of the definition, or run the machine as it is, without compile()',
          fields: [{ field: node.id, message: `has ${construct}` }],
        },
      );
    };
  }
}
