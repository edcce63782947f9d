import { createHash } from 'node:crypto';
import {
  type CallerIdentity,
  callerLabel,
  type VerifiedCaller,
  verifiedCaller,
} from '../../kernel/authority.js';
import type { DeleteOperation, PutOperation, Store, StoredHead } from '../../kernel/store.js';
import { jsonDigest } from '../../plugins/digest.js';
import { fanoutError } from '../errors.js';
import type { FanoutRecord } from './record.js';
import type { CreateFanout } from './view.js';

const kind = 'fanout-order';

/** What a fan-out was asked for and by whose authority: written once, beside the record that is written often. */
export interface FanoutOrder {
  readonly caller: VerifiedCaller;
  readonly input: unknown;
}

interface OrderData {
  readonly caller: CallerIdentity;
  readonly input: unknown;
  readonly requestDigest: string;
}

/** The row of an order; its owner is the key of the caller, if there is one. */
export function orderRow(
  { id, createdAt }: FanoutRecord,
  caller: VerifiedCaller,
  request: CreateFanout,
): PutOperation {
  const data: OrderData = { caller, input: request.input, requestDigest: digestOf(request) };
  return {
    op: 'put',
    kind,
    id,
    expect: 0,
    state: '',
    owner: keyOf(caller, request),
    createdAt,
    updatedAt: createdAt,
    data,
  };
}

/**
 * The order of a fan-out, with the caller that was verified when it was given: this daemon wrote it down, after it had checked the
 * token, and goes on by the same authority and no other.
 */
export async function readOrder(store: Store, id: string): Promise<FanoutOrder | undefined> {
  const stored = await store.get(kind, id);
  if (stored === undefined) return undefined;
  const { caller, input } = stored.data as OrderData;
  return { caller: verifiedCaller(caller), input };
}

/**
 * The fan-out that the key of a request stands for; undefined without a key or when it is new.
 *
 * @throws AppError `fanout.key_conflict` when the key came with another request then.
 */
export async function fanoutOfKey(
  store: Store,
  caller: VerifiedCaller,
  request: CreateFanout,
): Promise<string | undefined> {
  const owner = keyOf(caller, request);
  if (owner === '') return undefined;
  const [stored] = (await store.list({ kind, states: [''], owner, limit: 1 })).records;
  if (stored === undefined) return undefined;
  if ((stored.data as OrderData).requestDigest === digestOf(request)) return stored.id;
  throw fanoutError('key_conflict', `The idempotency key was used for another request (${stored.id})`, {
    fields: [{ field: 'idempotencyKey', message: 'belongs to another request' }],
    hint: 'Use a new key for a new request.',
    details: { fanoutId: stored.id },
  });
}

/** What deletes the order of a fan-out. */
export function orderOfFanout({ id }: StoredHead): readonly DeleteOperation[] {
  return [{ op: 'delete', kind, id, expect: 1 }];
}

function keyOf(caller: VerifiedCaller, { idempotencyKey }: CreateFanout): string {
  return idempotencyKey === undefined ? '' : sha256(JSON.stringify([callerLabel(caller), idempotencyKey]));
}

/** By the canonical form, as the requests of single dispatches under one key. */
function digestOf({ idempotencyKey: _key, targetsDigest: _targets, ...request }: CreateFanout): string {
  return jsonDigest(request);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
