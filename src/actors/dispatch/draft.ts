import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { CatalogEntry } from '../../plugins/catalog.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import type { DeviceRecord } from '../device/record.js';
import { dispatchError } from '../errors.js';
import { newId } from '../ids.js';
import type { DispatchOrder } from '../link/frames.js';
import type { DispatchRecord } from './record.js';
import type { CreateDispatch } from './view.js';

/** The bytes of an input as JSON. */
export function inputBytes(input: unknown): number {
  return Buffer.byteLength(JSON.stringify(input) ?? 'null');
}

const mediationLimitMs = 120_000;
const queueLifetimeMs = 24 * 3_600_000;
const maxTimeoutMs = 24 * 3_600_000;

/**
 * @returns the bytes of the input as JSON.
 * @throws AppError `dispatch.input_too_large`, `dispatch.invalid_input` naming each field.
 */
export function checkInput(entry: CatalogEntry, input: unknown, limit: number): number {
  const size = inputBytes(input);
  if (size > limit) {
    throw dispatchError('input_too_large', `The input has ${size} bytes, more than ${limit}`, {
      fields: [{ field: 'input', message: 'is too large' }],
      hint: 'Send less, or raise dispatch.inputLimit in palyra.yaml.',
    });
  }
  const fields = entry.input.check(input);
  if (fields.length === 0) return size;
  throw dispatchError('invalid_input', `The input does not fit ${entry.descriptor.name}`, {
    fields: fields.map(({ field, message }) => ({ field: `input${field}`, message })),
    hint: 'Its schema is in the plugin’s README and in `palyra inventory --json`.',
  });
}

/** The key that a request counts under: one that is given for the case of need counts only for what may not run twice. */
export function keyOf(
  { idempotencyKey, keyIfNeeded }: CreateDispatch,
  descriptor: Pick<Descriptor, 'idempotent' | 'readOnly'> | undefined,
): string | undefined {
  const harmless = descriptor !== undefined && (descriptor.idempotent || descriptor.readOnly);
  return idempotencyKey ?? (harmless ? undefined : keyIfNeeded);
}

/** What a request becomes before it is accepted. */
export interface Draft {
  readonly caller: VerifiedCaller;
  readonly request: CreateDispatch;
  readonly device: DeviceRecord;
  readonly entry: CatalogEntry;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The epoch of the session in which it goes out; 0 when the node is not connected. */
  readonly epoch: number;
}

/** The first record of a dispatch. @throws AppError `dispatch.invalid_request` for a timeout outside 1 ms to 24 h. */
export function draftDispatch({ caller, request, device, entry, now, epoch }: Draft): DispatchRecord {
  const { descriptor, digest } = entry;
  const timeoutMs = request.timeoutMs ?? entry.timeoutMs;
  if (!(timeoutMs >= 1 && timeoutMs <= maxTimeoutMs)) {
    throw dispatchError('invalid_request', 'A dispatch may run from 1 ms to 24 h', {
      fields: [{ field: 'timeoutMs', message: `must be 1 to ${maxTimeoutMs}` }],
    });
  }
  const mediationTimeoutMs = descriptor.mediation.mode === 'local' ? mediationLimitMs : 0;
  const deliverBy = now + (request.wait === true && !request.queue ? timeoutMs : queueLifetimeMs);
  const harmless = descriptor.idempotent || descriptor.readOnly;
  const idempotencyKey = keyOf(request, descriptor);
  const by = callerLabel(caller);
  return {
    id: newId('dp', now),
    version: 0,
    state: 'queued',
    deviceId: device.id,
    capability: descriptor.name,
    descriptorDigest: digest,
    input: request.input,
    caller: by,
    labels: request.labels ?? {},
    repeatable: harmless && idempotencyKey === undefined,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(request.retryOf === undefined ? {} : { retryOf: request.retryOf }),
    ...(request.fanout === undefined ? {} : { fanout: request.fanout }),
    timeoutMs,
    mediationTimeoutMs,
    createdAt: now,
    updatedAt: now,
    deliverBy,
    latestEnd: deliverBy + timeoutMs + mediationTimeoutMs,
    // The session it goes out in, if there is one: by protocol.md 18 the record says so before it may be sent.
    sentInEpoch: epoch,
    steps: [{ at: now, to: 'queued', event: 'create', by }],
  };
}

/** What a node is told of a dispatch. */
export function orderOf(record: DispatchRecord): DispatchOrder {
  return {
    dispatchId: record.id,
    capability: record.capability,
    descriptorDigest: record.descriptorDigest,
    input: Buffer.from(JSON.stringify(record.input) ?? 'null'),
    timeoutMs: record.timeoutMs,
    latestEndMs: record.latestEnd,
    caller: record.caller,
    mediationTimeoutMs: record.mediationTimeoutMs,
    repeatable: record.repeatable,
  };
}
