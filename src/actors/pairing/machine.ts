import { assign, fromPromise, setup } from 'xstate';
import { callerLabel, holdsRole, type VerifiedCaller } from '../../kernel/authority.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Reply } from '../../kernel/directory.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import { pairingError } from '../errors.js';
import type { PairingRecord, PairingState, RequestedCapability } from './record.js';

/** What a proven Begin exchange brought. */
export type PairingProof = Pick<
  PairingRecord,
  | 'codeId'
  | 'transcript'
  | 'csr'
  | 'csrDigest'
  | 'surfaceDigest'
  | 'facts'
  | 'peerAddress'
  | 'purpose'
  | 'labels'
>;

/** Answers the sender of an event: with the record as it is now, or with why not. */
export type PairingReply = Reply<PairingRecord>;

/** Events of a pairing. Those that need permission carry the caller that an adapter verified. */
export type PairingEvent =
  | { type: 'prove'; caller: VerifiedCaller; proof: PairingProof; reply: PairingReply }
  | {
      type: 'submit';
      caller: VerifiedCaller;
      requested: readonly RequestedCapability[];
      proposedName: string;
      reply: PairingReply;
    }
  | {
      type: 'approve';
      caller: VerifiedCaller;
      transcript: string;
      name: string;
      reason: string;
      reply: PairingReply;
    }
  | { type: 'reject'; caller: VerifiedCaller; transcript: string; reason: string; reply: PairingReply }
  | { type: 'confirm'; caller: VerifiedCaller; reply: PairingReply }
  | { type: 'alert'; message: string }
  | { type: 'expire' };

/** A change that is to be written before it is visible. `approve` also issues the certificate. */
export interface PairingIntent {
  readonly kind: 'update' | 'approve';
  readonly next: PairingRecord;
  readonly reply: PairingReply | undefined;
}

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
}

export interface PairingInput {
  readonly ports: PairingPorts;
  readonly record: PairingRecord;
}

interface PairingContext extends PairingInput {
  readonly intent: PairingIntent | undefined;
}

function ofDevice(caller: VerifiedCaller, record: PairingRecord): boolean {
  return caller.kind === 'device' && caller.deviceId === record.deviceId;
}

function decided(record: PairingRecord): AppError {
  return pairingError('decided', `Pairing ${record.id} is ${record.state} already`, {
    hint: 'A decision stands. Ask the machine to pair again for another one.',
  });
}

/** Why this caller may not decide on what it saw, or undefined when it may. */
function refusal(
  record: PairingRecord,
  event: { readonly caller: VerifiedCaller; readonly transcript: string },
): AppError | undefined {
  if (!holdsRole(event.caller, 'approver')) {
    return pairingError('forbidden', `${callerLabel(event.caller)} may not decide on pairings`, {
      hint: 'It takes a token with the role approver.',
    });
  }
  if (event.transcript !== record.transcript) {
    return pairingError('changed', `Pairing ${record.id} has a newer proof than the one that you saw`, {
      hint: 'Look at it again with `palyra pairings list`, compare the words, then decide.',
    });
  }
  return undefined;
}

/** What a request takes until it is decided, before and after it is complete. */
const undecided = {
  prove: [
    { guard: 'by its device', target: 'saving', actions: 'intend proof' },
    { actions: 'answer that it is another device' },
  ],
  submit: [
    { guard: 'by its device', target: 'saving', actions: 'intend submission' },
    { actions: 'answer that it is another device' },
  ],
  confirm: { actions: 'answer that it is not ready' },
  alert: { target: 'saving', actions: 'intend alert' },
  expire: { target: 'saving', actions: 'intend expiry' },
} as const;

/**
 * The life of one machine's request to join, from its first proof to its end. Every change is written before it is
 * visible (`saving`), and the record alone says where a restarted actor goes on (`resume`).
 */
export const pairingMachine = setup({
  types: {
    context: {} as PairingContext,
    events: {} as PairingEvent,
    input: {} as PairingInput,
  },
  actors: {
    commit: fromPromise<PairingRecord, { ports: PairingPorts; intent: PairingIntent }>(({ input }) =>
      input.ports.commit(input.intent),
    ),
  },
  guards: {
    'by its device': ({ context, event }) => 'caller' in event && ofDevice(event.caller, context.record),
    'may decide': ({ context, event }) =>
      (event.type === 'approve' || event.type === 'reject') && refusal(context.record, event) === undefined,
    'is proving': ({ context }) => context.record.state === 'proving',
    'is pending': ({ context }) => context.record.state === 'pending_approval',
    'is approved': ({ context }) => context.record.state === 'approved',
    'is completed': ({ context }) => context.record.state === 'completed',
    'is rejected': ({ context }) => context.record.state === 'rejected',
    'is expired': ({ context }) => context.record.state === 'expired',
    'is the same request': ({ context, event }) =>
      event.type === 'prove' &&
      ofDevice(event.caller, context.record) &&
      event.proof.csrDigest === context.record.csrDigest,
  },
  actions: {
    'arm expiry': ({ context, self }) => {
      const { ports, record } = context;
      const left = Math.max(0, record.expiresAt - ports.now());
      ports.deadlines.set(self, left, () => self.send({ type: 'expire' }));
    },
    'disarm expiry': ({ context, self }) => context.ports.deadlines.release(self),
    'intend proof': assign(({ context, event }) => {
      if (event.type !== 'prove') return {};
      const { ports, record } = context;
      const state = record.state === 'approved' ? 'approved' : 'proving';
      return {
        intent: update(ports, { ...record, ...event.proof, state }, record.state, event.reply),
      };
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
      return { intent: update(ports, next, record.state, event.reply) };
    }),
    'intend approval': assign(({ context, event }) => {
      if (event.type !== 'approve') return {};
      const { ports, record } = context;
      const now = ports.now();
      const { name } = event;
      const decision = { by: callerLabel(event.caller), at: now, reason: event.reason, name };
      const next = { ...record, state: 'approved' as const, decision };
      return { intent: { ...update(ports, next, record.state, event.reply), kind: 'approve' as const } };
    }),
    'intend rejection': assign(({ context, event }) => {
      if (event.type !== 'reject') return {};
      const { ports, record } = context;
      const decision = { by: callerLabel(event.caller), at: ports.now(), reason: event.reason, name: '' };
      return {
        intent: update(ports, { ...record, state: 'rejected' as const, decision }, record.state, event.reply),
      };
    }),
    'intend completion': assign(({ context, event }) => {
      if (event.type !== 'confirm') return {};
      const { ports, record } = context;
      return { intent: update(ports, { ...record, state: 'completed' as const }, record.state, event.reply) };
    }),
    'intend expiry': assign(({ context }) => ({
      intent: update(
        context.ports,
        { ...context.record, state: 'expired' as const },
        context.record.state,
        undefined,
      ),
    })),
    'intend alert': assign(({ context, event }) => {
      if (event.type !== 'alert') return {};
      const { ports, record } = context;
      return {
        intent: update(
          ports,
          { ...record, alerts: [...record.alerts, event.message] },
          record.state,
          undefined,
        ),
      };
    }),
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
    'answer why it may not': ({ context, event }) => {
      if (event.type !== 'approve' && event.type !== 'reject') return;
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
}).createMachine({
  id: 'pairing',
  context: ({ input }) => ({ ...input, intent: undefined }),
  initial: 'resume',
  states: {
    resume: {
      always: [
        { guard: 'is proving', target: 'proving' },
        { guard: 'is pending', target: 'pending_approval' },
        { guard: 'is approved', target: 'approved' },
        { guard: 'is completed', target: 'completed' },
        { guard: 'is rejected', target: 'rejected' },
        { guard: 'is expired', target: 'expired' },
        { target: 'cancelled' },
      ],
    },
    proving: {
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: {
        ...undecided,
        approve: { actions: 'answer that it is not ready' },
        reject: { actions: 'answer that it is not ready' },
      },
    },
    pending_approval: {
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: {
        ...undecided,
        approve: [
          { guard: 'may decide', target: 'saving', actions: 'intend approval' },
          { actions: 'answer why it may not' },
        ],
        reject: [
          { guard: 'may decide', target: 'saving', actions: 'intend rejection' },
          { actions: 'answer why it may not' },
        ],
      },
    },
    approved: {
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: {
        prove: [
          { guard: 'is the same request', actions: 'answer with the record' },
          { actions: 'answer that it is decided' },
        ],
        submit: [
          { guard: 'by its device', actions: 'answer with the record' },
          { actions: 'answer that it is another device' },
        ],
        approve: { actions: 'answer that it is decided' },
        reject: { actions: 'answer that it is decided' },
        confirm: [
          { guard: 'by its device', target: 'saving', actions: 'intend completion' },
          { actions: 'answer that it is another device' },
        ],
        expire: { target: 'saving', actions: 'intend expiry' },
      },
    },
    saving: {
      invoke: {
        src: 'commit',
        input: ({ context }) => ({ ports: context.ports, intent: context.intent as PairingIntent }),
        onDone: {
          target: 'resume',
          actions: [
            assign({ record: ({ event }) => event.output }),
            ({ context, event }) => {
              context.intent?.reply?.resolve(event.output);
              context.ports.changed(event.output);
            },
            assign({ intent: undefined }),
          ],
        },
        onError: {
          target: 'resume',
          actions: [
            ({ context, event }) => context.intent?.reply?.reject(toAppError(event.error)),
            assign({ intent: undefined }),
          ],
        },
      },
      on: {
        prove: { actions: 'answer that it is being saved' },
        submit: { actions: 'answer that it is being saved' },
        approve: { actions: 'answer that it is being saved' },
        reject: { actions: 'answer that it is being saved' },
        confirm: { actions: 'answer that it is being saved' },
      },
    },
    completed: { type: 'final' },
    rejected: { type: 'final' },
    expired: { type: 'final' },
    cancelled: { type: 'final' },
  },
});

/** The intent to write `next`. A changed state starts its own lifetime; a repeated request keeps what is left. */
function update(
  ports: PairingPorts,
  next: PairingRecord,
  from: PairingState,
  reply: PairingReply | undefined,
): PairingIntent {
  const now = ports.now();
  const expiresAt = next.state === from ? next.expiresAt : now + ports.lifetime(next.state);
  return { kind: 'update', next: { ...next, updatedAt: now, expiresAt }, reply };
}
