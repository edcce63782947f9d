import type { Store } from '../../kernel/store.js';
import { dispatchError } from '../errors.js';
import { parseDeviceId } from '../identity/device-id.js';
import { fromStored } from '../records.js';
import type { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';
import type { DispatchFilter, DispatchPage } from './view.js';

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

  /** The latest first. @throws AppError `identity.invalid_device_id`, and what the store throws. */
  async list({ states, deviceId, limit, cursor }: DispatchFilter): Promise<DispatchPage> {
    const page = await this.#store.list({
      kind: 'dispatch',
      order: 'descending',
      ...(states ? { states } : {}),
      ...(deviceId === undefined ? {} : { owner: parseDeviceId(deviceId) }),
      ...(limit === undefined ? {} : { limit }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return {
      dispatches: page.records.map(
        (stored) => this.#live.get(stored.id) ?? fromStored<DispatchRecord>(stored),
      ),
      ...(page.next === undefined ? {} : { next: page.next }),
    };
  }
}
