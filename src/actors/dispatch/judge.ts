import { toAppError } from '../../kernel/errors.js';
import type { Catalog } from '../../plugins/catalog.js';
import { checkJsonLimits } from '../../plugins/json-limits.js';
import { dispatchError } from '../errors.js';
import type { NodeOutcome, NodeResult } from '../link/frames.js';
import {
  type DispatchOutcome,
  type DispatchRecord,
  rejectionReasons,
  type TerminalDispatchState,
} from './record.js';

const states: Readonly<Record<NodeOutcome, TerminalDispatchState>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  rejected: 'rejected',
  timed_out: 'timed_out',
  cancelled: 'cancelled',
  unknown: 'outcome_unknown',
};

/**
 * Deeper JSON can be read but not written again: it would exhaust the stack of whoever writes the record. How many values
 * there may be is bounded by the bytes.
 */
const outputShape = { depth: 128, values: Number.POSITIVE_INFINITY };

/**
 * What a node's result means. A success counts only when its output is JSON within the limit and fits the schema of the
 * descriptor that was approved; the node has checked the same, but the daemon believes only itself.
 */
export function judgeResult(
  catalog: Catalog,
  outputLimit: number,
  record: DispatchRecord,
  result: NodeResult,
): DispatchOutcome {
  const how = { durationMs: result.durationMs, started: result.started, ...allowedBy(result) };
  if (result.outcome === 'succeeded')
    return { ...how, ...judgeOutput(catalog, outputLimit, record, result.output) };
  const isReason = (rejectionReasons as readonly string[]).includes(result.reason);
  const reason = result.outcome === 'rejected' && !isReason ? 'node_policy' : result.reason;
  return {
    ...how,
    state: states[result.outcome],
    ...(reason === '' ? {} : { reason }),
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}

/** The latest time that a date can be, milliseconds since the epoch. */
const endOfTime = 8.64e15;

function allowedBy({ allowed }: NodeResult): Pick<DispatchOutcome, 'allowed'> {
  if (allowed === undefined) return {};
  const { by, until } = allowed;
  if (until === undefined || until > endOfTime) return { allowed: { by } };
  return { allowed: { by, until: new Date(until).toISOString() } };
}

function judgeOutput(
  catalog: Catalog,
  outputLimit: number,
  record: DispatchRecord,
  bytes: Uint8Array,
): DispatchOutcome {
  if (bytes.length > outputLimit) {
    const error = dispatchError(
      'output_too_large',
      `The output has ${bytes.length} bytes, more than ${outputLimit}`,
      {
        hint: 'Ask for less, or raise dispatch.outputLimit in palyra.yaml.',
      },
    );
    return { state: 'failed', error: error.toEnvelope() };
  }
  let output: unknown;
  try {
    output = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    const error = dispatchError('invalid_output', 'The output of the node is not JSON');
    return { state: 'failed', error: error.toEnvelope() };
  }
  try {
    checkJsonLimits(output, outputShape);
  } catch (thrown) {
    const { message, fields = [] } = toAppError(thrown);
    const error = dispatchError('invalid_output', `The output of the node is refused: ${message}`, {
      fields: fields.map(({ field, message }) => ({ field: `output${field}`.slice(0, 200), message })),
    });
    return { state: 'failed', error: error.toEnvelope() };
  }
  const entry = catalog.get(record.descriptorDigest);
  const fields = entry?.output.check(output) ?? [{ field: '', message: 'has no schema here' }];
  if (fields.length === 0) return { state: 'succeeded', output };
  const error = dispatchError(
    'invalid_output',
    `The output does not fit the schema of ${record.capability}`,
    {
      fields: fields.map(({ field, message }) => ({ field: `output${field}`, message })),
      hint: 'This is a fault of the plugin on the node.',
    },
  );
  return { state: 'failed', error: error.toEnvelope() };
}
