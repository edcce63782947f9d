import type { PutOperation, Store } from '../../kernel/store.js';
import type { NodeResult } from '../link/frames.js';
import { eachStored } from '../records.js';

/** What the node's disk says of one dispatch that may not be started twice. */
export type JournalEntry =
  | { readonly phase: 'started' }
  | { readonly phase: 'finished'; readonly result: NodeResult }
  | { readonly phase: 'cancelled' };

/**
 * The node's memory over a crash: which work was started, how it ended until the daemon has that on its disk, and what was
 * cancelled before it came. Every write is fsynced before its promise resolves (protocol.md 19).
 */
export class ExecutionJournal {
  readonly #store: Store;
  readonly #versions = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Everything that is not settled, by dispatch id. */
  async load(): Promise<ReadonlyMap<string, JournalEntry>> {
    const entries = new Map<string, JournalEntry>();
    for await (const record of eachStored(this.#store, 'execution')) {
      this.#versions.set(record.id, record.version);
      entries.set(record.id, decode(record.data as StoredEntry));
    }
    return entries;
  }

  /** Whether it has, or is being given, an entry of a dispatch. */
  holds(dispatchId: string): boolean {
    return this.#versions.has(dispatchId);
  }

  async write(dispatchId: string, entry: JournalEntry, now: number): Promise<void> {
    const expect = this.#versions.get(dispatchId) ?? 0;
    this.#versions.set(dispatchId, expect + 1);
    const operation: PutOperation = {
      op: 'put',
      kind: 'execution',
      id: dispatchId,
      expect,
      state: entry.phase,
      owner: '',
      createdAt: now,
      updatedAt: now,
      data: encode(entry),
    };
    await this.#store.commit([operation], 'fsync');
  }

  /** The daemon has it on its disk: nothing of it is needed here. */
  async forget(dispatchId: string): Promise<void> {
    const expect = this.#versions.get(dispatchId);
    if (expect === undefined) return;
    this.#versions.delete(dispatchId);
    await this.#store.commit([{ op: 'delete', kind: 'execution', id: dispatchId, expect }], 'wal');
  }
}

type StoredEntry =
  | { readonly phase: 'started' | 'cancelled' }
  | { readonly phase: 'finished'; readonly result: Omit<NodeResult, 'output'> & { readonly output: string } };

function encode(entry: JournalEntry): StoredEntry {
  if (entry.phase !== 'finished') return entry;
  return {
    phase: 'finished',
    result: { ...entry.result, output: Buffer.from(entry.result.output).toString('utf8') },
  };
}

function decode(entry: StoredEntry): JournalEntry {
  if (entry.phase !== 'finished') return entry;
  return { phase: 'finished', result: { ...entry.result, output: Buffer.from(entry.result.output) } };
}
