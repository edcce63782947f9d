import type { AnyStateMachine, StateValue } from 'xstate';

/** A state of a machine's definition. */
export type StateNode = AnyStateMachine['root'];

/** What JavaScript calls a function that stands in a definition without a name: after the field that it stands in. */
const fieldNames: ReadonlySet<string> = new Set(['', 'guard', 'actions', 'entry', 'exit', 'check']);

/** A guard in words: its name, what `and`, `or` and `not` make of names, or `a condition` for a function in place. */
export function guardText(guard: unknown): string {
  if (typeof guard !== 'function') return nameOf(guard) ?? 'a condition';
  if ('stateValue' in guard) return `in ${stateText(guard.stateValue as StateValue)}`;
  if (!('guards' in guard)) return fieldNames.has(guard.name) ? 'a condition' : guard.name;
  const parts = (guard.guards as readonly unknown[]).map((part) =>
    typeof part === 'function' && 'guards' in part && part.name !== 'not'
      ? `(${guardText(part)})`
      : guardText(part),
  );
  return guard.name === 'not' ? `not ${parts[0]}` : parts.join(` ${guard.name} `);
}

/** An action in words: its name, what XState's own creators are called, or `an action` for a function in place. */
export function actionText(action: unknown): string {
  if (typeof action !== 'function') return nameOf(action) ?? 'an action';
  if ('type' in action) return String(action.type).replace('xstate.', '');
  return fieldNames.has(action.name) ? 'an action' : action.name;
}

/**
 * An event in words. XState's own events carry the ids of states, delays and children: `commit done` and `after 500 ms`
 * say the same to a reader.
 *
 * @param node the state that takes it.
 */
export function eventText(event: string, node: StateNode): string {
  if (event === '*') return 'any other event';
  if (event.startsWith('xstate.done.state.')) return 'done';
  for (const { id, src } of node.invoke) {
    const name = typeof src === 'string' ? src : id;
    if (event === `xstate.done.actor.${id}`) return `${name} done`;
    if (event === `xstate.error.actor.${id}`) return `${name} failed`;
    if (event === `xstate.snapshot.${id}`) return `${name} changed`;
  }
  const delayed = node.after.find(({ eventType }) => eventType === event);
  if (delayed === undefined) return event;
  const { delay } = delayed;
  if (typeof delay === 'number') return `after ${delay} ms`;
  return typeof delay === 'string' ? `after ${delay}` : 'after a delay';
}

/** A state value in one word: `live`, or `open.waiting` for a nested one. */
export function stateText(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([key, inner]) => (inner === undefined ? key : `${key}.${stateText(inner)}`))
    .join(' & ');
}

function nameOf(reference: unknown): string | undefined {
  if (typeof reference === 'string') return reference;
  return typeof reference === 'object' && reference !== null && 'type' in reference
    ? String(reference.type)
    : undefined;
}
