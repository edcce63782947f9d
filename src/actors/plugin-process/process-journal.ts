import type { Store } from '../../kernel/store.js';
import { eachStored } from '../records.js';
import type { ProcessTree } from './link.js';

const kind = 'plugin-process';

/**
 * Which processes of plugins there are, on the node's disk: a host that starts again ends those that outlived the one before
 * (protocol.md 24).
 */
export class ProcessJournal {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** What an earlier host has left. */
  async load(): Promise<readonly ProcessTree[]> {
    const trees: ProcessTree[] = [];
    for await (const { data } of eachStored(this.#store, kind)) trees.push(data as ProcessTree);
    return trees;
  }

  /** On disk, with fsync, when this resolves. @param now milliseconds since the epoch */
  async write(plugin: string, tree: ProcessTree, now: number): Promise<void> {
    const times = { createdAt: now, updatedAt: now };
    const head = { op: 'put', kind, id: tree.marker, expect: 0, state: 'running', owner: plugin } as const;
    await this.#store.commit([{ ...head, ...times, data: tree }], 'fsync');
  }

  /** None of them is left. */
  async forget({ marker }: ProcessTree): Promise<void> {
    await this.#store.commit([{ op: 'delete', kind, id: marker, expect: 1 }], 'wal');
  }
}
