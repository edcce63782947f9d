/** How a dispatch ended at its node, between proto messages and what the actors speak. See `codec.ts`. */
import type { NodeOutcome, NodeResult } from '../../actors/link/frames.js';
import type { Allowance } from '../../actors/mediation/permission.js';
import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { Allowance__Output, Allowance as WireAllowance } from './gen/palyra/node/v1/Allowance.js';
import type { DispatchError, DispatchError__Output } from './gen/palyra/node/v1/DispatchError.js';
import type { DispatchResult, DispatchResult__Output } from './gen/palyra/node/v1/DispatchResult.js';

/** Cuts what a peer says of itself to a size that a record may hold. */
export function short(text: string): string {
  return text.slice(0, 256);
}

const outcomeToWire = {
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  rejected: 'REJECTED',
  timed_out: 'TIMED_OUT',
  cancelled: 'CANCELLED',
  unknown: 'UNKNOWN',
} as const;
const outcomeFromWire: Readonly<Record<string, NodeOutcome>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  REJECTED: 'rejected',
  TIMED_OUT: 'timed_out',
  CANCELLED: 'cancelled',
};

function errorFromWire(wire: DispatchError__Output): ErrorEnvelope {
  return {
    code: short(wire.code),
    message: wire.message.slice(0, 4096),
    category: 'internal',
    retryable: wire.retryable,
    ...(wire.hint === '' ? {} : { hint: wire.hint.slice(0, 4096) }),
    ...(wire.fields.length === 0
      ? {}
      : {
          fields: wire.fields
            .slice(0, 32)
            .map(({ field, message }) => ({ field: short(field), message: message.slice(0, 1024) })),
        }),
  };
}

function errorToWire(error: ErrorEnvelope): DispatchError {
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? '',
    retryable: error.retryable,
    fields: (error.fields ?? []).map((field) => ({ ...field })),
  };
}

export function resultFromWire(wire: DispatchResult__Output): NodeResult {
  return {
    dispatchId: wire.dispatchId,
    outcome: outcomeFromWire[wire.outcome] ?? 'unknown',
    reason: short(wire.reason),
    output: wire.output,
    ...(wire.error ? { error: errorFromWire(wire.error) } : {}),
    durationMs: wire.durationUs / 1000,
    started: wire.started,
    ...allowedFromWire(wire.allowed),
  };
}

export function resultToWire(result: NodeResult): DispatchResult {
  return {
    dispatchId: result.dispatchId,
    outcome: outcomeToWire[result.outcome],
    reason: result.reason,
    output: result.output as Buffer,
    ...(result.error === undefined ? {} : { error: errorToWire(result.error) }),
    durationUs: Math.round(result.durationMs * 1000),
    started: result.started,
    ...allowedToWire(result),
  };
}

const allowanceToWire = { person: 'PERSON', remembered: 'REMEMBERED' } as const;
const allowanceFromWire: Readonly<Record<string, Allowance['by']>> = {
  PERSON: 'person',
  REMEMBERED: 'remembered',
};

function allowedToWire({ allowed }: NodeResult): { readonly allowed?: WireAllowance } {
  return allowed === undefined
    ? {}
    : { allowed: { by: allowanceToWire[allowed.by], untilMs: allowed.until ?? 0 } };
}

/** What a newer node may say besides is nothing that is known here. */
function allowedFromWire(wire: Allowance__Output | null): Pick<NodeResult, 'allowed'> {
  const by = allowanceFromWire[wire?.by ?? ''];
  if (wire === null || by === undefined) return {};
  return { allowed: wire.untilMs === 0 ? { by } : { by, until: wire.untilMs } };
}
