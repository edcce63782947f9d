import type { Sender } from './authority.js';

/**
 * What a machine says of itself beside its states, in XState's `meta`, for charts and explanations. A state and a
 * transition say what they mean in their own `description`.
 */
export interface MachineMeta {
  /** At the root: who sends each event; see `Senders`. */
  readonly senders?: Readonly<Record<string, Sender>>;
  /** At a transition: it only tells the sender why nothing happens. */
  readonly refuses?: true;
}
