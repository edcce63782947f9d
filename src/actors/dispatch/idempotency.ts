import { createHash } from 'node:crypto';
import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { DeleteOperation, PutOperation, Store, StoredHead, StoredRecord } from '../../kernel/store.js';
import { dispatchError } from '../errors.js';
import type { DispatchRecord } from './record.js';

interface IdempotencyData {
  readonly dispatchId: string;
  readonly capability: string;
  readonly requestDigest: string;
}

function sha256(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** The row that makes a key unique: written with the dispatch or not at all. Keys of different callers do not meet. */
export function idempotencyEntry(record: DispatchRecord, caller: VerifiedCaller, key: string): PutOperation {
  const data: IdempotencyData = {
    dispatchId: record.id,
    capability: record.capability,
    requestDigest: sha256(record.deviceId, record.capability, JSON.stringify(record.input) ?? 'null'),
  };
  return {
    op: 'put',
    kind: 'idempotency',
    id: sha256(callerLabel(caller), key),
    expect: 0,
    state: '',
    owner: record.deviceId,
    createdAt: record.createdAt,
    updatedAt: record.createdAt,
    data,
  };
}

/**
 * What deletes the entry of a dispatch, if it has one. It is found by the node and the time of creation, which both have in
 * common, so that the dispatch itself, which may be large, need not be read.
 *
 * @throws AppError what the store throws.
 */
export async function entriesOfDispatch(
  store: Store,
  { id: dispatchId, owner, createdAt }: StoredHead,
): Promise<readonly DeleteOperation[]> {
  let cursor: string | undefined;
  do {
    const page = await store.list({
      kind: 'idempotency',
      states: [''],
      owner,
      since: createdAt,
      limit: 4,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const entry of page.records) {
      if (entry.createdAt !== createdAt) return [];
      if ((entry.data as IdempotencyData).dispatchId !== dispatchId) continue;
      return [{ op: 'delete', kind: 'idempotency', id: entry.id, expect: entry.version }];
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return [];
}

/**
 * The dispatch that the key of `entry` stands for by what is stored under it.
 *
 * @throws AppError `dispatch.key_conflict` when the key came with another node, capability or input then.
 */
export function dispatchOfKey(entry: PutOperation, stored: StoredRecord): string {
  const wanted = entry.data as IdempotencyData;
  const { dispatchId, requestDigest } = stored.data as IdempotencyData;
  if (requestDigest === wanted.requestDigest) return dispatchId;
  throw dispatchError('key_conflict', `The idempotency key was used for another request (${dispatchId})`, {
    fields: [{ field: 'idempotencyKey', message: 'belongs to another request' }],
    hint: `Use a new key for a new request to ${wanted.capability}.`,
    details: { dispatchId },
  });
}
