import { storeError } from './store-errors.js';

/** The place of one record in a list: its creation time, then its id. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** The list that a cursor belongs to. A cursor of another list is refused, not misread. */
export interface CursorScope {
  readonly kind: string;
  readonly order: 'ascending' | 'descending';
}

const format = 1;
const longest = 2048;

/** Makes the opaque cursor that continues a list after `position`. */
export function encodeCursor(scope: CursorScope, position: Position): string {
  const fields = [format, scope.kind, scope.order, position.createdAt, position.id];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/**
 * Reads a cursor back.
 *
 * @throws AppError `store.bad_cursor` when it was not made by {@link encodeCursor} for this list.
 */
export function decodeCursor(scope: CursorScope, cursor: string): Position {
  const fields = parse(cursor);
  if (!Array.isArray(fields) || fields.length !== 5 || fields[0] !== format) throw badCursor();
  const [, kind, order, createdAt, id] = fields as unknown[];
  if (kind !== scope.kind || order !== scope.order) throw badCursor();
  if (typeof createdAt !== 'number' || !Number.isSafeInteger(createdAt) || typeof id !== 'string') {
    throw badCursor();
  }
  return { createdAt, id };
}

function parse(cursor: string): unknown {
  if (cursor.length > longest || !/^[\w-]+$/.test(cursor)) throw badCursor();
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw badCursor();
  }
}

function badCursor() {
  return storeError('bad_cursor', 'cursor is not one that this list gave out', {
    hint: 'Start the list again without a cursor, and pass on the `next` of each page unchanged',
    fields: [{ field: 'cursor', message: 'is not a cursor of this list' }],
  });
}
