import { createHash } from 'node:crypto';
import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { DeleteOperation, PutOperation, Store, StoredHead } from '../../kernel/store.js';
import { jsonDigest } from '../../plugins/digest.js';
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

/** A request under a key, which belongs to its caller: the same key of another one is another key. */
export interface KeyedRequest {
  readonly caller: VerifiedCaller;
  readonly key: string;
  /** The node by what never changes of it: a key holds when it is renamed. */
  readonly deviceId: string;
  readonly capability: string;
  readonly input: unknown;
}

function entryId({ caller, key }: Pick<KeyedRequest, 'caller' | 'key'>): string {
  return sha256(callerLabel(caller), key);
}

/** By the canonical form (RFC 8785): a client that writes the members in another order asks for the same. */
function requestDigest({ deviceId, capability, input }: KeyedRequest): string {
  return sha256(deviceId, capability, jsonDigest(input ?? null));
}

/** The row that makes a key unique: written with the dispatch or not at all. */
export function idempotencyEntry(record: DispatchRecord, request: KeyedRequest): PutOperation {
  const data: IdempotencyData = {
    dispatchId: record.id,
    capability: record.capability,
    requestDigest: requestDigest(request),
  };
  return {
    op: 'put',
    kind: 'idempotency',
    id: entryId(request),
    expect: 0,
    state: '',
    owner: record.deviceId,
    createdAt: record.createdAt,
    updatedAt: record.createdAt,
    data,
  };
}

/** The dispatch that a key of a caller stands for, if it was used and is kept. */
export async function dispatchIdOfKey(
  store: Store,
  request: Pick<KeyedRequest, 'caller' | 'key'>,
): Promise<string | undefined> {
  const stored = await store.get('idempotency', entryId(request));
  return stored && (stored.data as IdempotencyData).dispatchId;
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
 * The id of the dispatch that a key stands for, or undefined when it is free.
 *
 * @throws AppError `dispatch.key_conflict` when the key came with another node, capability or input then.
 */
export async function dispatchOfKey(store: Store, request: KeyedRequest): Promise<string | undefined> {
  const stored = await store.get('idempotency', entryId(request));
  if (stored === undefined) return undefined;
  const { dispatchId, requestDigest: digest } = stored.data as IdempotencyData;
  if (digest === requestDigest(request)) return dispatchId;
  throw dispatchError('key_conflict', `The idempotency key was used for another request (${dispatchId})`, {
    fields: [{ field: 'idempotencyKey', message: 'belongs to another request' }],
    hint: `Use a new key for a new request to ${request.capability}.`,
    details: { dispatchId },
  });
}
