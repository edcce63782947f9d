import type { Database, Statement } from 'better-sqlite3';
import type { JournalEntry } from '../../../kernel/journal.js';
import { historyLimit } from '../history-limit.js';
import type { PreparedOperation } from '../prepared-commit.js';

type Row = Omit<JournalEntry, 'note'> & { readonly note: string | null };

/** The statements on the journal, each prepared once. */
export class JournalTable {
  readonly #insert: Statement<unknown[]>;
  readonly #delete: Statement<[string, string]>;
  readonly #list: Statement<[string, string, number], Row>;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM journal WHERE kind = ? AND id = ?');
    this.#list = database.prepare(
      `SELECT version, at, event, caused_by AS "by", from_state AS "from", to_state AS "to", note
       FROM journal WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT ?`,
    );
  }

  /** Writes what belongs to a change of a record that was just made. */
  follow(operation: PreparedOperation): void {
    const { kind, id } = operation;
    if (operation.op === 'delete') {
      this.#delete.run(kind, id);
      return;
    }
    const { journal, expect, updatedAt, state } = operation;
    if (!journal) return;
    const { event, by, from, note } = journal;
    this.#insert.run(kind, id, expect + 1, updatedAt, event, by, from, state, note ?? null);
  }

  of(kind: string, id: string): JournalEntry[] {
    const latest = this.#list.all(kind, id, historyLimit).reverse();
    return latest.map(({ note, ...entry }) => (note === null ? entry : { ...entry, note }));
  }
}
