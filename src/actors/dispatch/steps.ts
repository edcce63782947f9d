import type { Cause, JournalEntry } from '../../kernel/journal.js';
import { type DispatchRecord, type DispatchState, type DispatchStep, isDispatchState } from './record.js';

/** What can be noted of a dispatch without a change of its state. */
export type DispatchNote = Exclude<DispatchStep['to'], DispatchState>;

/** The record in its next state, with the step that led there. */
export function step(record: DispatchRecord, to: DispatchState, at: number, cause: Cause): DispatchRecord {
  return { ...record, state: to, updatedAt: at, steps: [...record.steps, { ...cause, at, to }] };
}

/** The record with something noted that changes no state. */
export function note(record: DispatchRecord, to: DispatchNote, at: number, cause: Cause): DispatchRecord {
  return { ...record, updatedAt: at, steps: [...record.steps, { ...cause, at, to }] };
}

/**
 * A dispatch's journal, as it is kept in its own row: what a step notes without a change of state becomes the entry's
 * event.
 */
export function historyOf({ steps }: DispatchRecord): readonly JournalEntry[] {
  let from: DispatchState | '' = '';
  return steps.map(({ to, event, by, note: reason, ...rest }, index) => {
    const state: DispatchState | '' = isDispatchState(to) ? to : from;
    const what = isDispatchState(to) ? event : to;
    const entry = { ...rest, version: index + 1, event: what, by, from, to: state };
    from = state;
    return reason === undefined ? entry : { ...entry, note: reason };
  });
}
