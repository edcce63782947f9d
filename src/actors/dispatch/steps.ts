import type { Cause, JournalEntry } from '../../kernel/journal.js';
import { journalOf } from '../own-journal.js';
import {
  type DispatchRecord,
  type DispatchState,
  type DispatchStep,
  isDispatchState,
  isTerminal,
} from './record.js';

/**
 * So many steps of what has not ended are kept. A node that asks its person over and over, or comes and goes all day, and a
 * caller who cancels again and again would make the record grow without end; it is written whole each time.
 */
const mostSteps = 256;

/** What can be noted of a dispatch without a change of its state. */
export type DispatchNote = Exclude<DispatchStep['to'], DispatchState>;

/** The record in its next state, with the step that led there; without it when there are too many, unless it is the end. */
export function step(record: DispatchRecord, to: DispatchState, at: number, cause: Cause): DispatchRecord {
  const isKept = record.steps.length < mostSteps || isTerminal(to);
  return { ...record, state: to, updatedAt: at, ...(isKept ? withStep(record, { ...cause, at, to }) : {}) };
}

/** The record with something noted that changes no state. What comes after the end is bounded by who notes it. */
export function note(record: DispatchRecord, to: DispatchNote, at: number, cause: Cause): DispatchRecord {
  const isKept = record.steps.length < mostSteps || isTerminal(record.state);
  return { ...record, updatedAt: at, ...(isKept ? withStep(record, { ...cause, at, to }) : {}) };
}

function withStep({ steps }: DispatchRecord, next: DispatchStep): Pick<DispatchRecord, 'steps'> {
  return { steps: [...steps, next] };
}

/** A dispatch's journal, as it is kept in its own row. */
export function historyOf({ steps }: DispatchRecord): readonly JournalEntry[] {
  return journalOf(steps, isDispatchState);
}
