import { type AnyActorRef, and, type EventObject, not, or } from 'xstate';

export type Context = Readonly<Record<string, unknown>>;

/** What guards, and functions that make parameters, are called with. */
export interface GuardArgs {
  readonly context: Context;
  readonly event: EventObject;
}

/** What actions are called with. */
export interface ActionArgs extends GuardArgs {
  readonly self: AnyActorRef;
  readonly system: AnyActorRef['system'];
}

/** What assignments are called with. `spawn` refuses: a compiled machine has no children. */
export interface AssignArgs extends ActionArgs {
  readonly spawn: () => never;
}

export type Guard = (args: GuardArgs) => unknown;

type Params = ((args: GuardArgs) => unknown) | undefined;

/** One action, its name resolved. */
export type Action =
  | {
      readonly assigns: true;
      readonly run: (args: AssignArgs, params: unknown) => Context | undefined;
      readonly params: Params;
    }
  | {
      readonly assigns: false;
      readonly run: (args: ActionArgs, params: unknown) => void;
      readonly params: Params;
    };

/** Ends the compilation: `construct` is what can't be compiled, with its article. */
export type Refuse = (construct: string) => never;

type Implementations = Readonly<Record<string, unknown>>;

type Callable = (...args: readonly unknown[]) => unknown;

/** How actions and guards name what they are when they are not functions. */
interface Named {
  readonly type: string;
  readonly params?: unknown;
}

/** Resolves an action of a definition: a name, a name with parameters, or a function. */
export function actionOf(reference: unknown, named: Implementations, refuse: Refuse): Action {
  if (isCallable(reference)) return resolved(reference, undefined, refuse);
  const { type, params } = namedBy(reference);
  const implementation = Object.hasOwn(named, type) ? named[type] : undefined;
  if (!isCallable(implementation)) return refuse(`the action '${type}', which has no implementation`);
  return resolved(implementation, paramsOf(params), refuse);
}

/** Resolves a guard of a definition, with `and`, `or` and `not` around it. */
export function guardOf(reference: unknown, named: Implementations, refuse: Refuse): Guard {
  if (isCallable(reference)) return combined(reference, named, refuse) ?? (reference as Guard);
  const { type, params } = namedBy(reference);
  const implementation = Object.hasOwn(named, type) ? named[type] : undefined;
  if (!isCallable(implementation)) return refuse(`the guard '${type}', which has no implementation`);
  const combination = combined(implementation, named, refuse);
  if (combination) return combination;
  const paramsFor = paramsOf(params);
  if (!paramsFor) return implementation as Guard;
  return (args) => implementation(args, paramsFor(args));
}

/** What a guard is called in an error: its name, or undefined when it is a function in place. */
export function guardName(reference: unknown): string | undefined {
  return isCallable(reference) ? undefined : namedBy(reference).type;
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

function namedBy(reference: unknown): Named {
  return typeof reference === 'string' ? { type: reference } : (reference as Named);
}

function paramsOf(params: unknown): Params {
  if (params === undefined) return undefined;
  return isCallable(params) ? params : () => params;
}

/** XState's own action creators return functions that say what they are; an action of one's own has none of this. */
function resolved(action: Callable, params: Params, refuse: Refuse): Action {
  if (!('resolve' in action)) return { assigns: false, run: action, params };
  const creator = 'type' in action ? String(action.type) : action.name;
  if (creator !== 'xstate.assign' || !('assignment' in action)) {
    return refuse(`the action ${creator.replace('xstate.', '')}()`);
  }
  const { assignment } = action;
  if (isCallable(assignment)) return { assigns: true, run: assignment as () => Context | undefined, params };
  const entries = Object.entries(assignment as Context);
  const run = (args: AssignArgs, given: unknown): Context =>
    Object.fromEntries(
      entries.map(([key, value]) => [key, isCallable(value) ? value(args, given) : value] as const),
    );
  return { assigns: true, run, params };
}

const combinators = new Map<unknown, (guards: readonly Guard[]) => Guard>([
  [checkOf(and([])), (guards) => (args) => guards.every((guard) => guard(args))],
  [checkOf(or([])), (guards) => (args) => guards.some((guard) => guard(args))],
  [
    checkOf(not(() => true)),
    ([guard]) =>
      (args) =>
        !guard?.(args),
  ],
]);

/** The function by which XState evaluates one of its own guards: it tells `and`, `or`, `not` and `stateIn` apart. */
function checkOf(guard: object): unknown {
  return 'check' in guard ? guard.check : undefined;
}

function combined(guard: Callable, named: Implementations, refuse: Refuse): Guard | undefined {
  const check = checkOf(guard);
  if (check === undefined) return undefined;
  const combine = combinators.get(check);
  if (!combine || !('guards' in guard)) return refuse(`the guard ${guard.name}()`);
  return combine((guard.guards as readonly unknown[]).map((part) => guardOf(part, named, refuse)));
}
