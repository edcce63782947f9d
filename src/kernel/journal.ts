import { callerLabel, type VerifiedCaller } from './authority.js';

/** What led to a change, and who. */
export interface Cause {
  /** The type of the event. */
  readonly event: string;
  /** A caller label (`operator:ada`, `device:MFZ…`), or a part of the system (`its deadline`). */
  readonly by: string;
  /** Why, in a few words: an operator's reason, an error's message. */
  readonly note?: string;
}

/** Why a record changed. It is written with the change: in one commit, under the record's new version. */
export interface JournalNote extends Cause {
  /** The state before; '' for the first. */
  readonly from: string;
}

/** One transition as it was recorded. */
export interface JournalEntry extends JournalNote {
  /** The record's version that the transition led to; counts transitions where there is no record. */
  readonly version: number;
  /** Wall time, milliseconds since the epoch. */
  readonly at: number;
  readonly to: string;
}

/** The longest note that is kept, characters: notes are for people, and reasons come from outside. */
const longestNote = 500;

/**
 * The cause of a change that an event led to: by its verified caller, or by `sender` when the event carries none.
 *
 * @example
 * causeOf({ type: 'approve', caller }, 'the daemon', reason); // { event: 'approve', by: 'operator:ada', note: 'mine' }
 */
export function causeOf(
  event: { readonly type: string; readonly caller?: VerifiedCaller },
  sender: string,
  note = '',
): Cause {
  const by = event.caller === undefined ? sender : callerLabel(event.caller);
  return { event: event.type, by, ...(note === '' ? {} : { note: note.slice(0, longestNote) }) };
}
