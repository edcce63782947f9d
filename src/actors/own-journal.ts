import type { Cause, JournalEntry } from '../kernel/journal.js';

/** One step of a record that keeps its journal in its own row. */
interface OwnStep extends Cause {
  readonly at: number;
  /** The next state, or what is noted. */
  readonly to: string;
}

/**
 * The journal of a record that keeps it in its own row: what a step notes without a change of state becomes the entry's
 * event.
 *
 * @param isState whether a step leads to another state, or only notes something.
 */
export function journalOf(
  steps: readonly OwnStep[],
  isState: (to: string) => boolean,
): readonly JournalEntry[] {
  let from = '';
  return steps.map(({ to, event, by, note, ...rest }, index) => {
    const next = isState(to) ? to : from;
    const entry = { ...rest, version: index + 1, event: isState(to) ? event : to, by, from, to: next };
    from = next;
    return note === undefined ? entry : { ...entry, note };
  });
}
