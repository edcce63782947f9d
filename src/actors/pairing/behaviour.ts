import { assign, fromPromise, setup } from 'xstate';
import { callerLabel, permits, senderText, type VerifiedCaller } from '../../kernel/authority.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { pairingError } from '../errors.js';
import { type PairingEvent, type PairingReply, pairingSenders } from './events.js';
import { isOpen, type PairingRecord, type PairingState } from './record.js';

interface Intent {
  readonly next: PairingRecord;
  /** What led to it, for the journal. */
  readonly cause: Cause;
  readonly reply: PairingReply | undefined;
}

/** An approval, which also issues the certificate and makes the device a trusted one, on the caller's word. */
export interface ApprovalIntent extends Intent {
  readonly kind: 'approve';
  readonly caller: VerifiedCaller;
}

/** A change that is to be written before it is visible. */
export type PairingIntent = ApprovalIntent | (Intent & { readonly kind: 'update' });

/** What a pairing asks of the outside. */
export interface PairingPorts {
  readonly deadlines: Deadlines;
  now(): number;
  /** Writes the change (for an approval: issues, and writes pairing, device, code and descriptors together). */
  commit(intent: PairingIntent): Promise<PairingRecord>;
  /** The record has changed: tell whoever waits for it. */
  changed(record: PairingRecord): void;
  /** How long a state may last without progress, milliseconds. */
  lifetime(state: PairingState): number;
  /** Whether the machine can still get in with the certificate that its approval has issued. */
  isOfUse(record: PairingRecord): boolean;
}

export interface PairingInput {
  readonly ports: PairingPorts;
  readonly record: PairingRecord;
}

/** What a pairing knows. */
export interface PairingContext extends PairingInput {
  readonly intent: PairingIntent | undefined;
  /** Alerts that came while another change was being written. */
  readonly postponed: readonly string[];
}

/** Whether the event's caller is what the table of senders asks for. */
function mayCause(event: PairingEvent, record: PairingRecord): boolean {
  if (!('caller' in event)) return false;
  // The policy is about devices that come back, not about those that come.
  if (event.caller.kind === 'system' && !record.returning) return false;
  return permits(pairingSenders[event.type], event.caller, record.deviceId);
}

function decided(record: PairingRecord): AppError {
  return pairingError('decided', `Pairing ${record.id} is ${record.state} already`, {
    hint: 'A decision stands. Ask the machine to pair again for another one.',
  });
}

/** Why this caller may not decide on what it saw, or undefined when it may. */
function refusal(
  record: PairingRecord,
  event: Extract<PairingEvent, { type: 'approve' | 'reject' | 'cancel' }>,
): AppError | undefined {
  if (!mayCause(event, record)) {
    return pairingError('forbidden', `${callerLabel(event.caller)} may not decide on pairings`, {
      hint: `It takes ${senderText(pairingSenders[event.type])}.`,
    });
  }
  // What is cancelled lets nobody in, whatever it was.
  if (event.type !== 'cancel' && event.transcript !== record.transcript) {
    return pairingError('changed', `Pairing ${record.id} has a newer proof than the one that you saw`, {
      hint: 'Look at it again with `palyra pairings list`, compare the words, then decide.',
    });
  }
  return undefined;
}

/** Guards and actions of a pairing, by name. The chart that uses them is in `machine.ts`. */
export const pairingSetup = setup({
  types: {
    context: {} as PairingContext,
    events: {} as PairingEvent,
    input: {} as PairingInput,
    meta: {} as MachineMeta,
  },
  actors: {
    commit: fromPromise<PairingRecord, { ports: PairingPorts; intent: PairingIntent }>(({ input }) =>
      input.ports.commit(input.intent),
    ),
  },
  guards: {
    'may cancel': ({ context, event }) => event.type === 'cancel' && mayCause(event, context.record),
    'by its device': ({ context, event }) => mayCause(event, context.record),
    'may decide': ({ context, event }) =>
      (event.type === 'approve' || event.type === 'reject') && refusal(context.record, event) === undefined,
    'has a postponed alert': ({ context }) => context.postponed.length > 0 && isOpen(context.record.state),
    'is proving': ({ context }) => context.record.state === 'proving',
    'is pending': ({ context }) => context.record.state === 'pending_approval',
    'is approved': ({ context }) => context.record.state === 'approved',
    'is completed': ({ context }) => context.record.state === 'completed',
    'is rejected': ({ context }) => context.record.state === 'rejected',
    'is expired': ({ context }) => context.record.state === 'expired',
    'comes back with another key': ({ context, event }) =>
      event.type === 'prove' &&
      mayCause(event, context.record) &&
      context.record.returning !== undefined &&
      event.proof.returning !== undefined,
    'is the same request': ({ context, event }) =>
      event.type === 'prove' &&
      mayCause(event, context.record) &&
      event.proof.csrDigest === context.record.csrDigest &&
      context.ports.isOfUse(context.record),
    'has nothing of use': ({ context, event }) =>
      event.type === 'prove' && mayCause(event, context.record) && !context.ports.isOfUse(context.record),
  },
  actions: {
    'arm expiry': ({ context, self }) => {
      const { ports, record } = context;
      const left = Math.max(0, record.expiresAt - ports.now());
      ports.deadlines.sendAfter(self, left, { type: 'expire' }, { label: 'lifetime of this state' });
    },
    'disarm expiry': ({ context, self }) => context.ports.deadlines.release(self),
    'intend proof': assign(({ context, event }) => {
      if (event.type !== 'prove') return {};
      const { ports, record } = context;
      const { decision: _decision, certificate: _certificate, returning: _returning, ...undecided } = record;
      const next = { ...undecided, ...event.proof, state: 'proving' as const };
      return { intent: update(ports, next, record.state, event) };
    }),
    'intend submission': assign(({ context, event }) => {
      if (event.type !== 'submit') return {};
      const { ports, record } = context;
      const next = {
        ...record,
        state: 'pending_approval' as const,
        requested: event.requested,
        proposedName: event.proposedName,
      };
      return { intent: update(ports, next, record.state, event) };
    }),
    'intend approval': assign(({ context, event }) => {
      if (event.type !== 'approve') return {};
      const { ports, record } = context;
      const now = ports.now();
      const { name } = event;
      const decision = { by: callerLabel(event.caller), at: now, reason: event.reason, name };
      const next = { ...record, state: 'approved' as const, decision };
      const intent = update(ports, next, record.state, event);
      return { intent: { ...intent, kind: 'approve' as const, caller: event.caller } };
    }),
    'intend rejection': assign(({ context, event }) => {
      if (event.type !== 'reject') return {};
      const { ports, record } = context;
      const decision = { by: callerLabel(event.caller), at: ports.now(), reason: event.reason, name: '' };
      return {
        intent: update(ports, { ...record, state: 'rejected' as const, decision }, record.state, event),
      };
    }),
    'intend cancellation': assign(({ context, event }) => {
      if (event.type !== 'cancel') return {};
      const { ports, record } = context;
      const decision = { by: callerLabel(event.caller), at: ports.now(), reason: event.reason, name: '' };
      return {
        intent: update(ports, { ...record, state: 'cancelled' as const, decision }, record.state, event),
      };
    }),
    'take what was written': assign((_args, record: PairingRecord) => ({ record })),
    'answer what was intended': ({ context }) => {
      context.intent?.reply?.resolve(context.record);
      context.ports.changed(context.record);
    },
    'answer that it was not written': ({ context }, error: unknown) =>
      context.intent?.reply?.reject(toAppError(error)),
    'forget the intent': assign({ intent: undefined }),
    'intend completion': assign(({ context, event }) => {
      if (event.type !== 'confirm') return {};
      const { ports, record } = context;
      return { intent: update(ports, { ...record, state: 'completed' as const }, record.state, event) };
    }),
    'intend expiry': assign(({ context, event }) => ({
      intent: update(
        context.ports,
        { ...context.record, state: 'expired' as const },
        context.record.state,
        event,
      ),
    })),
    'intend alert': assign(({ context, event }) =>
      event.type === 'alert' ? { intent: alerting(context, [event.message]) } : {},
    ),
    'postpone the alert': assign(({ context, event }) =>
      event.type === 'alert' ? { postponed: [...context.postponed, event.message] } : {},
    ),
    'intend the postponed alert': assign(({ context }) => ({
      intent: alerting(context, context.postponed),
      postponed: [],
    })),
    'answer with the record': ({ context, event }) => {
      if ('reply' in event) event.reply.resolve(context.record);
    },
    'answer that it is decided': ({ context, event }) => {
      if ('reply' in event) event.reply.reject(decided(context.record));
    },
    'answer that it is not ready': ({ context, event }) => {
      if ('reply' in event) {
        event.reply.reject(
          pairingError('not_ready', `Pairing ${context.record.id} is ${context.record.state}`, {
            hint: 'Wait for the step before this one, then try again.',
          }),
        );
      }
    },
    'answer that it is another device': ({ context, event }) => {
      if ('reply' in event) {
        event.reply.reject(
          pairingError('bad_signature', `Pairing ${context.record.id} belongs to another device`),
        );
      }
    },
    'answer that it is trusted': ({ context, event }) => {
      if (event.type !== 'cancel') return;
      event.reply.reject(
        pairingError('decided', `Pairing ${context.record.id} is approved: its device is trusted`, {
          hint: `Shut it out again: palyra devices revoke ${context.record.decision?.name ?? ''}`.trimEnd(),
        }),
      );
    },
    'answer why it may not': ({ context, event }) => {
      if (event.type !== 'approve' && event.type !== 'reject' && event.type !== 'cancel') return;
      event.reply.reject(refusal(context.record, event) ?? decided(context.record));
    },
    'answer that it is being saved': ({ context, event }) => {
      if ('reply' in event) {
        event.reply.reject(
          pairingError('busy', `Pairing ${context.record.id} is being changed at this moment`, {
            hint: 'Try again.',
          }),
        );
      }
    },
  },
});

/** The intent to write `next`. A changed state starts its own lifetime; a repeated request keeps what is left. */
function update(
  ports: PairingPorts,
  next: PairingRecord,
  from: PairingState,
  event: PairingEvent,
): PairingIntent {
  const now = ports.now();
  const expiresAt = next.state === from ? next.expiresAt : now + ports.lifetime(next.state);
  return {
    kind: 'update',
    next: { ...next, updatedAt: now, expiresAt },
    cause: causeOf(event, senderText(pairingSenders[event.type]), noteOf(event)),
    reply: 'reply' in event ? event.reply : undefined,
  };
}

/** The intent to note what an operator should see. */
function alerting({ ports, record }: PairingContext, messages: readonly string[]): PairingIntent {
  const next = { ...record, alerts: [...record.alerts, ...messages] };
  return update(ports, next, record.state, { type: 'alert', message: messages.join('; ') });
}

/** What an event says of its reason. */
function noteOf(event: PairingEvent): string | undefined {
  if (event.type === 'approve' || event.type === 'reject' || event.type === 'cancel') return event.reason;
  return event.type === 'alert' ? event.message : undefined;
}
