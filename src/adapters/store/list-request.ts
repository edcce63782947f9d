import type { ListPage, ListQuery } from '../../kernel/store.js';
import { type CursorScope, decodeCursor, encodeCursor, type Position } from './cursor.js';
import { storeError } from './store-errors.js';

const defaultLimit = 100;
const largestLimit = 1000;

/** A list query after checks and defaults, in the form that every adapter works from. */
export interface ListRequest extends CursorScope {
  /** Without duplicates; absent means every state. */
  readonly states: readonly string[] | undefined;
  readonly owner: string | undefined;
  readonly since: number;
  readonly until: number;
  readonly limit: number;
  /** Only records after this place, in the list's own order. */
  readonly after: Position | undefined;
}

/**
 * Checks a query and fills in its defaults.
 *
 * @throws AppError `store.bad_query` for a limit or time out of range, `store.bad_cursor` for a foreign cursor.
 */
export function listRequest(query: ListQuery): ListRequest {
  const { kind, owner, order = 'ascending', limit = defaultLimit } = query;
  const { since = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > largestLimit) {
    throw badQuery('limit', `must be a whole number from 1 to ${largestLimit}`);
  }
  for (const [field, time] of Object.entries({ since, until })) {
    if (!Number.isSafeInteger(time)) throw badQuery(field, 'must be whole milliseconds since the epoch');
  }
  const after = query.cursor === undefined ? undefined : decodeCursor({ kind, order }, query.cursor);
  const states = query.states === undefined ? undefined : [...new Set(query.states)];
  return { kind, states, owner, order, since, until, limit, after };
}

/** Makes a page from up to `limit + 1` records: the one past the limit only tells that there is a next page. */
export function listPage<R extends Position>(request: ListRequest, found: readonly R[]): ListPage<R> {
  const records = found.slice(0, request.limit);
  const last = records.at(-1);
  if (found.length <= request.limit || last === undefined) return { records };
  return { records, next: encodeCursor(request, last) };
}

/** The order of a list: by creation time, then by the id's UTF-8 bytes, as SQLite compares them. */
export function inListOrder(order: ListRequest['order']): (a: Position, b: Position) => number {
  const sign = order === 'ascending' ? 1 : -1;
  return (a, b) => sign * (a.createdAt - b.createdAt || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
}

function badQuery(field: string, message: string) {
  return storeError('bad_query', `${field} ${message}`, {
    hint: `Correct \`${field}\` and list again`,
    fields: [{ field, message }],
  });
}
