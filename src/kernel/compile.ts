import type {
  ActorLogic,
  ActorScope,
  AnyActorRef,
  AnyStateMachine,
  ContextFrom,
  EmittedFrom,
  EventFrom,
  EventObject,
  InputFrom,
  OutputFrom,
  Snapshot,
  SnapshotFrom,
  TagsFrom,
} from 'xstate';
import type { Action, Context } from './compile-actions.js';
import { type State, type Table, type Transition, tableOf } from './compile-table.js';
import { kernelError } from './kernel-errors.js';
import { stopType } from './lifecycle.js';

/**
 * What an actor of compiled logic shows: the part of XState's `MachineSnapshot` that says where the machine is. `matches`,
 * `can` and `hasTag` answer as XState's do; `can` evaluates guards. There are no `children`, `machine`, `getMeta` and
 * `historyValue`.
 */
export type CompiledSnapshot<T extends AnyStateMachine> = Snapshot<OutputFrom<T>> & {
  readonly value: SnapshotFrom<T>['value'];
  readonly context: ContextFrom<T>;
  matches(value: SnapshotFrom<T>['value']): boolean;
  can(event: EventFrom<T>): boolean;
  hasTag(tag: TagsFrom<T>): boolean;
};

/** Table-driven actor logic, as {@link compile} makes it. */
export interface CompiledLogic<T extends AnyStateMachine>
  extends ActorLogic<CompiledSnapshot<T>, EventFrom<T>, InputFrom<T>, AnyActorRef['system'], EmittedFrom<T>> {
  /** The definition, for charts, tests and explanations. */
  readonly machine: T;
}

/** The same for any machine: the logic below doesn't depend on its types. */
interface Shape {
  readonly value: string;
  readonly context: Context;
  matches(value: unknown): boolean;
  can(event: EventObject): boolean;
  hasTag(tag: string): boolean;
}
type AnySnapshot = Snapshot<unknown> & Shape;
type Scope = ActorScope<AnySnapshot, EventObject>;

const errorSignal = 'xstate.error.actor';

/**
 * Makes table-driven actor logic from a flat machine: the same behaviour as XState's interpretation of it, at a fraction
 * of its cost. For machines of which there are crowds.
 *
 * Compiled are flat and final states with `entry`, `exit`, `on`, `always`, `tags` and `output`, all of them on the root
 * too; guards and actions by name (with parameters) or in place; `assign`, `and`, `or`, `not`; re-entry. The context may
 * be a value or a function of the input.
 *
 * Refused are nested, parallel and history states, `invoke`, `after`, `onDone`, `route`, wildcards, events named
 * `xstate.…`, targets that are the root or several, names without an implementation, `stateIn`, and all of XState's own
 * actions but `assign`: use `self.send`, the kernel's deadlines and the directory instead of them.
 *
 * It differs from XState's interpretation in this:
 * - `spawn`, handed to assignments and to the context's function, throws `kernel.bad_machine` when called;
 * - a machine without `maxIterations` fails after 1,000 microsteps instead of never;
 * - a final state's `output` is called once, also when the machine has an output of its own;
 * - actions and microsteps are not sent to inspection observers, events and snapshots are;
 * - it is for actors: XState's pure `transition()` would execute the actions instead of returning them;
 * - an actor can't start from a persisted snapshot, only from its `input`.
 *
 * @throws AppError `kernel.bad_machine` that names the state and the construct that can't be compiled.
 * @example
 * const door = setup({ types: { events: {} as { type: 'push' } } }).createMachine({
 *   initial: 'closed',
 *   states: { closed: { on: { push: 'open' } }, open: { type: 'final' } },
 * });
 * const actor = createActor(compile(door)).start();
 * actor.send({ type: 'push' });
 * actor.getSnapshot().status; // 'done'
 */
export function compile<T extends AnyStateMachine>(machine: T): CompiledLogic<T> {
  const logic = new Compiled(tableOf(machine), machine.config.context);
  const erased: ActorLogic<AnySnapshot, EventObject, unknown> = {
    getInitialSnapshot: (scope, input) => logic.begin(scope, input),
    transition: (snapshot, event, scope) => logic.next(snapshot, event, scope),
    getPersistedSnapshot: (snapshot) => snapshot,
  };
  // The table has no types; those of the machine, from which it was read, hold for it.
  return { ...erased, machine } as unknown as CompiledLogic<T>;
}

class Compiled {
  readonly #table: Table;
  readonly #context: unknown;
  readonly #methods: Pick<Shape, 'matches' | 'can' | 'hasTag'>;

  constructor(table: Table, context: unknown) {
    this.#table = table;
    this.#context = context;
    const stateOf = (value: string): State => this.#stateOf(value);
    this.#methods = {
      matches(this: AnySnapshot, value) {
        return this.value === value;
      },
      can(this: AnySnapshot, event) {
        const chosen = chooseFor(event, stateOf(this.value).on.get(event.type) ?? [], this.context);
        return chosen !== undefined && !chosen.inert;
      },
      hasTag(this: AnySnapshot, tag) {
        return stateOf(this.value).tags.has(tag);
      },
    };
  }

  /** The first snapshot. Like XState's, it assigns now and leaves all other actions to the actor's start. */
  begin(scope: Scope, input: unknown): AnySnapshot {
    const event: EventObject & { input: unknown } = { type: 'xstate.init', input };
    const { initial, start } = this.#table;
    let context: Context = {};
    try {
      context = this.#firstContext(scope, input);
      const entered = perform(start, context, event, scope, true);
      return this.#settle(initial, entered, event, scope, true);
    } catch (error) {
      return this.#snapshot('error', initial.key, context, undefined, error);
    }
  }

  next(snapshot: AnySnapshot, event: EventObject, scope: Scope): AnySnapshot {
    const { context } = snapshot;
    const state = this.#stateOf(snapshot.value);
    const candidates = state.on.get(event.type);
    if (!candidates) {
      if (event.type === stopType) {
        return this.#snapshot('stopped', state.key, context, snapshot.output, snapshot.error);
      }
      if (event.type.startsWith(errorSignal)) {
        const error = 'error' in event ? event.error : undefined;
        return this.#snapshot('error', state.key, context, snapshot.output, error);
      }
    }
    const chosen = candidates && chooseFor(event, candidates, context);
    const entered = chosen ? perform(chosen.actions, context, event, scope, false) : context;
    const reached = chosen ? chosen.target : state;
    if (reached === state && entered === context && state.always.length === 0) return snapshot;
    return this.#settle(reached, entered, event, scope, false);
  }

  /** Takes `always` transitions until there is none to take, or the machine is done. */
  #settle(from: State, before: Context, event: EventObject, scope: Scope, starting: boolean): AnySnapshot {
    const { maxIterations } = this.#table;
    let state = from;
    let context = before;
    let settled = false;
    for (let iteration = 1; !state.final; iteration++) {
      if (iteration > maxIterations) throw neverSettles(maxIterations);
      const chosen: Transition | undefined = settled ? undefined : choose(state.always, context, event);
      if (!chosen) return this.#snapshot('active', state.key, context, undefined, undefined);
      const entered = perform(chosen.actions, context, event, scope, starting);
      // What changed nothing would be taken for ever.
      settled = chosen.target === state && entered === context;
      state = chosen.target;
      context = entered;
    }
    return this.#complete(state, context, event, scope, starting);
  }

  #complete(
    state: State,
    context: Context,
    event: EventObject,
    scope: Scope,
    starting: boolean,
  ): AnySnapshot {
    const { self } = scope;
    const stateOutput = outputOf(state.output, { context, event, self });
    const doneEvent = { type: state.doneType, output: stateOutput };
    const output = outputOf(this.#table.output, { context, event: doneEvent, self });
    const last = perform(state.completion, context, event, scope, starting);
    return this.#snapshot('done', state.key, last, output, undefined);
  }

  #firstContext(scope: Scope, input: unknown): Context {
    const given = this.#context;
    if (typeof given === 'function') return { ...given({ spawn: refuseToSpawn, input, self: scope.self }) };
    return (given ?? {}) as Context;
  }

  #stateOf(value: string): State {
    const { states, machineId } = this.#table;
    const state = states.get(value);
    if (state) return state;
    throw kernelError('bad_machine', `The machine '${machineId}' has no state '${value}'`, {
      hint: 'Start compiled actors from their input, not from a persisted snapshot',
    });
  }

  /** The methods are own properties, as in XState's snapshots: it copies a snapshot by spreading it when an actor fails. */
  #snapshot(
    status: AnySnapshot['status'],
    value: string,
    context: Context,
    output: unknown,
    error: unknown,
  ): AnySnapshot {
    const { matches, can, hasTag } = this.#methods;
    return { status, output, error, value, context, matches, can, hasTag } as AnySnapshot;
  }
}

/** Runs actions in order; each sees what those before it have assigned. Returns the context after the last. */
function perform(
  actions: readonly Action[],
  before: Context,
  event: EventObject,
  scope: Scope,
  starting: boolean,
): Context {
  const { self, system } = scope;
  let context = before;
  for (const action of actions) {
    const params = action.params?.({ context, event });
    if (action.assigns) {
      const args = { context, event, spawn: refuseToSpawn, self, system };
      context = { ...context, ...action.run(args, params) };
      continue;
    }
    const { run } = action;
    const args = { context, event, self, system };
    if (starting) scope.defer(() => run(args, params));
    else run(args, params);
  }
  return context;
}

/** The first transition whose guard holds. */
function choose(
  candidates: readonly Transition[],
  context: Context,
  event: EventObject,
): Transition | undefined {
  for (const candidate of candidates) {
    if (!candidate.guard || candidate.guard({ context, event })) return candidate;
  }
  return undefined;
}

/** The same for an event: as in XState, an error of a guard says which one it was. */
function chooseFor(
  event: EventObject,
  candidates: readonly Transition[],
  context: Context,
): Transition | undefined {
  for (const candidate of candidates) {
    try {
      if (!candidate.guard || candidate.guard({ context, event })) return candidate;
    } catch (cause) {
      throw guardFailed(candidate, event, cause);
    }
  }
  return undefined;
}

function outputOf(
  mapper: unknown,
  args: { readonly context: Context; readonly event: EventObject; readonly self: Scope['self'] },
): unknown {
  return typeof mapper === 'function' ? mapper(args) : mapper;
}

/** XState's words, with the cause that XState leaves out. */
function guardFailed({ guardName, sourceId }: Transition, event: EventObject, cause: unknown): Error {
  const name = guardName === undefined ? '' : `'${guardName}' `;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `Unable to evaluate guard ${name}in transition for event '${event.type}' in state node '${sourceId}':\n${reason}`,
    { cause },
  );
}

/** XState's words. */
function neverSettles(maxIterations: number): Error {
  return new Error(
    `Infinite loop detected: the machine has processed more than ${maxIterations} microsteps without reaching a stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or raised events causing state A -> B -> C -> A).`,
  );
}

function refuseToSpawn(): never {
  throw kernelError('bad_machine', 'An action or the context of a compiled machine called spawn()', {
    hint: 'Start the actor under a supervisor, or run the machine as it is, without compile()',
  });
}
