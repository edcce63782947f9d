import type { AppError } from '../../kernel/errors.js';
import type { JournalEntry } from '../../kernel/journal.js';
import type {
  Durability,
  ListPage,
  ListQuery,
  Store,
  StoredHead,
  StoredRecord,
  StoreOperation,
} from '../../kernel/store.js';
import { CommitQueue } from './commit-queue.js';
import { historyLimit } from './history-limit.js';
import { inListOrder, type ListRequest, listPage, listRequest } from './list-request.js';
import { conflictOf, type PreparedOperation, type PreparedPut } from './prepared-commit.js';

type Row = Omit<StoredRecord, 'data'> & { readonly json: string; readonly history: readonly JournalEntry[] };

/**
 * A store that keeps nothing after the process. It behaves as the SQLite store does, down to group commit and JSON, so a
 * test can use it in its place.
 *
 * @example
 * const store = new MemoryStore();
 * await store.commit([{ op: 'put', kind: 'device', id: 'd1', expect: 0, state: 'trusted', owner: '',
 *   createdAt: 0, updatedAt: 0, data: {} }]);
 */
export class MemoryStore implements Store {
  readonly #kinds = new Map<string, Map<string, Row>>();
  readonly #queue = new CommitQueue((commits) => commits.map((operations) => this.#apply(operations)));

  async get(kind: string, id: string): Promise<StoredRecord | undefined> {
    this.#queue.assertOpen();
    const row = this.#kinds.get(kind)?.get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  async list(query: ListQuery): Promise<ListPage> {
    const request = this.#request(query);
    return listPage(request, this.#find(request).map(toRecord));
  }

  async heads(query: ListQuery): Promise<ListPage<StoredHead>> {
    const request = this.#request(query);
    return listPage(request, this.#find(request).map(toHead));
  }

  #request(query: ListQuery): ListRequest {
    this.#queue.assertOpen();
    return listRequest(query);
  }

  /** Up to `limit + 1` rows. */
  #find(request: ListRequest): readonly Row[] {
    const compare = inListOrder(request.order);
    const { after } = request;
    return [...(this.#kinds.get(request.kind)?.values() ?? [])]
      .filter((row) => matches(row, request) && (after === undefined || compare(row, after) > 0))
      .sort(compare)
      .slice(0, request.limit + 1);
  }

  async history(kind: string, id: string): Promise<readonly JournalEntry[]> {
    this.#queue.assertOpen();
    return this.#kinds.get(kind)?.get(id)?.history.slice(-historyLimit) ?? [];
  }

  async commit(operations: readonly StoreOperation[], durability: Durability = 'fsync'): Promise<void> {
    await this.#queue.add(operations, durability);
  }

  async close(): Promise<void> {
    this.#queue.close();
  }

  #apply(operations: readonly PreparedOperation[]): AppError | undefined {
    const undo: (() => void)[] = [];
    for (const operation of operations) {
      const rows = this.#rowsOf(operation.kind);
      const row = rows.get(operation.id);
      const actual = row?.version ?? 0;
      if (actual !== operation.expect) {
        for (const step of undo.reverse()) step();
        return conflictOf(operation, actual);
      }
      undo.push(() => (row === undefined ? rows.delete(operation.id) : rows.set(operation.id, row)));
      if (operation.op === 'delete') rows.delete(operation.id);
      else rows.set(operation.id, nextRow(operation, row?.history ?? []));
    }
    return undefined;
  }

  #rowsOf(kind: string): Map<string, Row> {
    let rows = this.#kinds.get(kind);
    if (rows === undefined) {
      rows = new Map();
      this.#kinds.set(kind, rows);
    }
    return rows;
  }
}

function nextRow({ op: _op, expect, journal, ...put }: PreparedPut, before: readonly JournalEntry[]): Row {
  const version = expect + 1;
  const entry = journal && { ...journal, version, at: put.updatedAt, to: put.state };
  return { ...put, version, history: entry ? [...before, entry] : before };
}

function toRecord({ json, history: _history, ...row }: Row): StoredRecord {
  return { ...row, data: JSON.parse(json) };
}

function toHead({ json, history: _history, ...row }: Row): StoredHead {
  return { ...row, bytes: Buffer.byteLength(json) };
}

function matches(row: Row, request: ListRequest): boolean {
  return (
    (request.states === undefined || request.states.includes(row.state)) &&
    (request.owner === undefined || row.owner === request.owner) &&
    row.createdAt >= request.since &&
    row.createdAt < request.until
  );
}
