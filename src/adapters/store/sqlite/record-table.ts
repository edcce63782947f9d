import type { Database, Statement } from 'better-sqlite3';
import type { AppError } from '../../../kernel/errors.js';
import type { JournalEntry } from '../../../kernel/journal.js';
import type { StoredHead, StoredRecord } from '../../../kernel/store.js';
import type { Position } from '../cursor.js';
import { inListOrder, type ListRequest } from '../list-request.js';
import { conflictOf, type PreparedOperation } from '../prepared-commit.js';
import { JournalTable } from './journal-table.js';

type Row = Omit<StoredRecord, 'data'> & { readonly data: string };

const headColumns = 'kind, id, version, state, owner, created_at AS createdAt, updated_at AS updatedAt';
const columns = `${headColumns}, data`;

/** The statements on the table of records, each prepared once; what they change in the journal goes with them. */
export class RecordTable {
  readonly #database: Database;
  readonly #get: Statement<[string, string], Row>;
  readonly #head: Statement<[string, string], StoredHead>;
  readonly #version: Statement<[string, string], number>;
  readonly #insert: Statement<unknown[]>;
  readonly #update: Statement<unknown[]>;
  readonly #delete: Statement<[string, string, number]>;
  readonly #journal: JournalTable;
  readonly #savepoint: Statement<[]>;
  readonly #release: Statement<[]>;
  readonly #undo: Statement<[]>;
  readonly #prepared = new Map<string, Statement<unknown[]>>();

  constructor(database: Database) {
    this.#database = database;
    this.#get = database.prepare(`SELECT ${columns} FROM records WHERE kind = ? AND id = ?`);
    // The length in bytes stands before the data, which is not read for it.
    this.#head = database.prepare(
      `SELECT ${headColumns}, octet_length(data) AS bytes FROM records WHERE kind = ? AND id = ?`,
    );
    this.#version = database.prepare('SELECT version FROM records WHERE kind = ? AND id = ?');
    this.#version.pluck();
    this.#insert = database.prepare(
      'INSERT INTO records VALUES (?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#update = database.prepare(
      `UPDATE records SET version = version + 1, state = ?, owner = ?, created_at = ?, updated_at = ?, data = ?
       WHERE kind = ? AND id = ? AND version = ?`,
    );
    this.#delete = database.prepare('DELETE FROM records WHERE kind = ? AND id = ? AND version = ?');
    this.#journal = new JournalTable(database);
    this.#savepoint = database.prepare('SAVEPOINT one_commit');
    this.#release = database.prepare('RELEASE one_commit');
    this.#undo = database.prepare('ROLLBACK TO one_commit');
  }

  get(kind: string, id: string): StoredRecord | undefined {
    const row = this.#get.get(kind, id);
    return row === undefined ? undefined : { ...row, data: JSON.parse(row.data) };
  }

  history(kind: string, id: string): JournalEntry[] {
    return this.#journal.of(kind, id);
  }

  /**
   * Applies one commit inside the open transaction, or nothing of it: returns the conflict then. Each statement finds its
   * conflict by itself, so a commit of one operation has nothing to undo and needs no savepoint (0.7 µs against 7 µs a row).
   */
  apply(operations: readonly PreparedOperation[]): AppError | undefined {
    if (operations.length === 1) return this.#applyAll(operations);
    this.#savepoint.run();
    const conflict = this.#applyAll(operations);
    if (conflict !== undefined) this.#undo.run();
    this.#release.run();
    return conflict;
  }

  /**
   * Up to `limit + 1` records of a list. Each state has its own run in the index, already in the order of the list, so
   * the first records of every run, merged, are the first of all; the records themselves are read after the merge.
   */
  list(request: ListRequest): StoredRecord[] {
    return this.#keys(request).flatMap(({ id }) => this.get(request.kind, id) ?? []);
  }

  /** As `list`, without the data. */
  heads(request: ListRequest): StoredHead[] {
    return this.#keys(request).flatMap(({ id }) => this.#head.get(request.kind, id) ?? []);
  }

  #keys(request: ListRequest): readonly Position[] {
    const states = request.states ?? this.#statesOf(request);
    const keys = states.flatMap((state) => this.#run(request, state));
    if (states.length > 1) keys.sort(inListOrder(request.order));
    return keys.slice(0, request.limit + 1);
  }

  #applyAll(operations: readonly PreparedOperation[]): AppError | undefined {
    for (const operation of operations) {
      if (this.#change(operation) === 0) {
        return conflictOf(operation, this.#version.get(operation.kind, operation.id) ?? 0);
      }
      this.#journal.follow(operation);
    }
    return undefined;
  }

  /** How many rows the operation changed: 0 is a conflict. */
  #change(operation: PreparedOperation): number {
    const { kind, id, expect } = operation;
    if (operation.op === 'delete') return this.#delete.run(kind, id, expect).changes;
    const { state, owner, createdAt, updatedAt, json } = operation;
    return expect === 0
      ? this.#insert.run(kind, id, state, owner, createdAt, updatedAt, json).changes
      : this.#update.run(state, owner, createdAt, updatedAt, json, kind, id, expect).changes;
  }

  #run(request: ListRequest, state: string): Position[] {
    const { kind, owner, since, until, order, limit, after } = request;
    const forward = order === 'ascending';
    const start = after ?? { createdAt: forward ? since : until, id: '' };
    const statement = this.#prepare(
      `SELECT created_at AS createdAt, id FROM records
       WHERE kind = ? AND ${owner === undefined ? '' : 'owner = ? AND'} state = ?
         AND (created_at, id) ${forward ? '>' : '<'} (?, ?) AND created_at >= ? AND created_at < ?
       ORDER BY created_at ${forward ? 'ASC' : 'DESC'}, id ${forward ? 'ASC' : 'DESC'} LIMIT ?`,
    );
    const owners = owner === undefined ? [] : [owner];
    return statement.all(
      kind,
      ...owners,
      state,
      start.createdAt,
      start.id,
      since,
      until,
      limit + 1,
    ) as Position[];
  }

  /** The distinct states of a kind (of an owner): one index probe for each, however many records there are. */
  #statesOf({ kind, owner }: ListRequest): string[] {
    const where = `kind = ? ${owner === undefined ? '' : 'AND owner = ?'}`;
    const statement = this.#prepare(
      `WITH RECURSIVE found(state) AS (
         SELECT min(state) FROM records WHERE ${where}
         UNION ALL
         SELECT (SELECT min(state) FROM records WHERE ${where} AND state > found.state) FROM found
         WHERE found.state IS NOT NULL)
       SELECT state FROM found WHERE state IS NOT NULL`,
    );
    const scope = owner === undefined ? [kind] : [kind, owner];
    return (statement.all(...scope, ...scope) as { state: string }[]).map((row) => row.state);
  }

  #prepare(sql: string): Statement<unknown[]> {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
