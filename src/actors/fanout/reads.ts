import type { Store } from '../../kernel/store.js';
import { fanoutError } from '../errors.js';
import { fromStored } from '../records.js';
import type { FanoutRecord } from './record.js';
import type { FanoutFilter, FanoutPage, FanoutView } from './view.js';

/** How many are on a page unless the caller says: their rows are large. */
const usualPage = 20;

/** Fan-outs as they are read: those that live from memory, which the disk follows, and all others from disk. */
export class FanoutReads {
  readonly #store: Store;
  readonly #live: (id: string) => FanoutRecord | undefined;

  constructor(store: Store, live: (id: string) => FanoutRecord | undefined) {
    this.#store = store;
    this.#live = live;
  }

  /** @throws AppError `fanout.not_found` */
  async require(id: string): Promise<FanoutRecord> {
    const live = this.#live(id);
    if (live !== undefined) return live;
    const stored = await this.#store.get('fanout', id);
    if (stored !== undefined) return fromStored<FanoutRecord>(stored);
    throw fanoutError('not_found', `There is no fan-out ${id}`, {
      hint: 'See which there are: palyra fanouts list. Old ones are pruned as dispatches are.',
    });
  }

  /** The latest first, without their targets. */
  async list({ states, limit = usualPage, cursor }: FanoutFilter): Promise<FanoutPage> {
    const page = await this.#store.list({
      kind: 'fanout',
      order: 'descending',
      limit,
      ...(states === undefined ? {} : { states }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const fanouts = page.records.map((stored) => {
      const record = this.#live(stored.id) ?? fromStored<FanoutRecord>(stored);
      return { ...viewOf(record), members: [] };
    });
    return { fanouts, ...(page.next === undefined ? {} : { next: page.next }) };
  }
}

/**
 * A fan-out with the targets that changed since a revision; with all of them for a revision that it has not come to, which is one
 * from before a restart.
 */
export function viewOf(record: FanoutRecord, after = 0): FanoutView {
  const counts: Record<string, number> = {};
  for (const { state } of record.members) counts[state] = (counts[state] ?? 0) + 1;
  const since = after > record.revision ? 0 : after;
  return { ...record, members: record.members.filter(({ revision }) => revision > since), counts };
}
