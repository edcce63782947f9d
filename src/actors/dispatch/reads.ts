import type { Store } from '../../kernel/store.js';
import { dispatchError } from '../errors.js';
import { fromStored } from '../records.js';
import type { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';

/** Dispatches as they are read: those that live from memory, which the disk follows, and all others from disk. */
export class DispatchReads {
  readonly #store: Store;
  readonly #live: LiveDispatches;

  constructor({ store, live }: { readonly store: Store; readonly live: LiveDispatches }) {
    this.#store = store;
    this.#live = live;
  }

  /** @throws AppError `dispatch.not_found`. */
  async require(id: string): Promise<DispatchRecord> {
    const live = this.#live.get(id);
    if (live) return live;
    const stored = await this.#store.get('dispatch', id);
    if (stored) return fromStored<DispatchRecord>(stored);
    throw dispatchError('not_found', `There is no dispatch ${id}`, {
      hint: 'Check the id: `palyra invoke --json` shows it. Finished dispatches older than `dispatch.retention` are pruned.',
    });
  }
}
