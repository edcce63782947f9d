import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { Reply } from '../../kernel/directory.js';
import type { PruneJob, PruneOrder } from './view.js';

/** `run` names the sweep that an answer is to. */
export type PruningEvent =
  | { type: 'prune'; caller: VerifiedCaller; order: PruneOrder; reply: Reply<PruneJob> }
  | { type: 'look'; reply: Reply<PruneJob | undefined> }
  | { type: 'swept'; run: number }
  | { type: 'failed'; run: number; error: unknown }
  | { type: 'deadline' };

/** Who sends each of them. */
export const pruningSenders = {
  prune: { role: 'admin' },
  look: { from: 'the control plane' },
  swept: { from: 'the store' },
  failed: { from: 'the store' },
  deadline: { from: 'its deadline' },
} as const satisfies Senders<PruningEvent>;
