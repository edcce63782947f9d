import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Directory, Reply } from '../../kernel/directory.js';
import { daemonParts } from '../addresses.js';
import type { PruningEvent } from './events.js';
import type { PruneControl, PruneJob, PruneOrder } from './view.js';

const askTimeoutMs = 5_000;

/** What operators order to be deleted, and see of that. */
export class PruningControl implements PruneControl {
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  prune(caller: VerifiedCaller, order: PruneOrder): Promise<PruneJob> {
    return this.#ask((reply) => ({ type: 'prune', caller, order, reply }));
  }

  pruning(_caller: VerifiedCaller): Promise<PruneJob | undefined> {
    return this.#ask((reply) => ({ type: 'look', reply }));
  }

  #ask<T>(event: (reply: Reply<T>) => PruningEvent): Promise<T> {
    return this.#directory.ask(daemonParts.pruning, event, { timeoutMs: askTimeoutMs });
  }
}
