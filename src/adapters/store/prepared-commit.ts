import type { DeleteOperation, PutOperation, StoreOperation } from '../../kernel/store.js';
import { storeError } from './store-errors.js';

/** A put whose data is already JSON text, so that what the caller changes later is not written. */
export type PreparedPut = Omit<PutOperation, 'data'> & { readonly json: string };
export type PreparedOperation = PreparedPut | DeleteOperation;

/**
 * Checks the operations of one commit and freezes their data as JSON text. A record that can't be stored must fail here,
 * alone: inside the shared transaction it would fail everybody's.
 *
 * @throws AppError `store.bad_record` naming the record and the field.
 */
export function prepareOperations(operations: readonly StoreOperation[]): PreparedOperation[] {
  return operations.map((operation) => {
    if (operation.kind === '' || operation.id === '')
      throw badRecord(operation, 'kind and id must not be empty');
    const least = operation.op === 'put' ? 0 : 1;
    if (!Number.isSafeInteger(operation.expect) || operation.expect < least) {
      throw badRecord(operation, `expect must be a version, ${least} or more`);
    }
    if (operation.op === 'delete') return operation;
    if (!Number.isSafeInteger(operation.createdAt) || !Number.isSafeInteger(operation.updatedAt)) {
      throw badRecord(operation, 'createdAt and updatedAt must be whole milliseconds');
    }
    const { data: _data, ...columns } = operation;
    return { ...columns, json: toJson(operation) };
  });
}

/** The error of an operation whose record is not at the version that it expects. */
export function conflictOf(operation: Pick<PreparedOperation, 'kind' | 'id' | 'expect'>, actual: number) {
  const name = `${operation.kind}/${operation.id}`;
  const expected = operation.expect === 0 ? 'absent' : `at version ${operation.expect}`;
  const found = actual === 0 ? 'absent' : `at version ${actual}`;
  return storeError('conflict', `Record ${name} should be ${expected} but is ${found}`, {
    hint: 'Read the record again and decide from what it says now',
    details: { kind: operation.kind, id: operation.id, expected: operation.expect, actual },
  });
}

function toJson(operation: PutOperation): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(operation.data);
  } catch (cause) {
    throw badRecord(operation, 'data is not JSON', cause);
  }
  if (json === undefined) throw badRecord(operation, 'data is not JSON');
  return json;
}

function badRecord(operation: StoreOperation, message: string, cause?: unknown) {
  return storeError('bad_record', `Record ${operation.kind}/${operation.id} can't be stored: ${message}`, {
    hint: 'This is a defect of the caller; report it with this message',
    ...(cause === undefined ? {} : { cause }),
  });
}
