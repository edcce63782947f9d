import type { AcceptedEvent } from '../kernel/acceptance.js';
import type { VerifiedCaller } from '../kernel/authority.js';
import type { NextStep } from '../kernel/explain.js';
import type { JournalEntry } from '../kernel/journal.js';

/** What happened to a dispatch, a fan-out, a pairing or a node, why it is where it is, who can move it, and what happens next. */
export interface ExplanationView {
  readonly kind: 'dispatch' | 'fanout' | 'pairing' | 'node';
  readonly id: string;
  readonly title: string;
  /** The address of its actor. */
  readonly address: string;
  /** The state of its record. */
  readonly state: string;
  /** The state of its actor, which knows more states; absent when none runs. */
  readonly actorState?: string;
  /** It has ended for good. */
  readonly ended: boolean;
  readonly since?: number;
  /** What the state means and waits for. */
  readonly description: string;
  /** What else bears on it, one sentence each. */
  readonly notes: readonly string[];
  /** Oldest first. */
  readonly history: readonly JournalEntry[];
  /** What it takes now, and from whom. */
  readonly accepts: readonly AcceptedEvent[];
  /** Soonest first. */
  readonly deadlines: readonly { readonly label: string; readonly event?: string; readonly at: number }[];
  /** What happens by itself if nothing else does. */
  readonly next?: NextStep;
}

export interface ExplainControl {
  /**
   * @param subject the id of a dispatch, a fan-out or a pairing, or a node as {@link CreateDispatch.node}.
   * @throws AppError `dispatch.not_found`, `fanout.not_found`, `pairing.not_found`, `dispatch.unknown_node`, `dispatch.ambiguous_node`.
   */
  explain(caller: VerifiedCaller, subject: string): Promise<ExplanationView>;
}
