import { type PairingIntent, pairingSetup } from './behaviour.js';
import { pairingSenders } from './events.js';

const refuses = { refuses: true } as const;
const refusedAsOther = { actions: 'answer that it is another device', meta: refuses } as const;
const refusedAsEarly = { actions: 'answer that it is not ready', meta: refuses } as const;
const refusedAsDecided = { actions: 'answer that it is decided', meta: refuses } as const;
const refusedWithReason = { actions: 'answer why it may not', meta: refuses } as const;
const refusedAsBusy = { actions: 'answer that it is being saved', meta: refuses } as const;

const refusedAsTrusted = { actions: 'answer that it is trusted', meta: refuses } as const;

const notesAlert = {
  target: 'saving',
  actions: 'intend alert',
  description: 'Something that an operator should see is noted',
} as const;

/** What a request takes until it is decided, before and after it is complete. */
const undecided = {
  prove: [
    {
      guard: 'by its device',
      target: 'saving',
      actions: 'intend proof',
      description: 'The machine proves a code again; its request begins anew, under the same id',
    },
    refusedAsOther,
  ],
  submit: [
    {
      guard: 'by its device',
      target: 'saving',
      actions: 'intend submission',
      description: 'The machine hands in what it wants to offer',
    },
    refusedAsOther,
  ],
  cancel: [
    {
      guard: 'may cancel',
      target: 'saving',
      actions: 'intend cancellation',
      description: 'It ends as cancelled: the machine may ask again',
    },
    refusedWithReason,
  ],
  confirm: refusedAsEarly,
  alert: notesAlert,
  expire: { target: 'saving', actions: 'intend expiry', description: 'It ends as expired' },
} as const;

/**
 * The life of one machine's request to join, from its first proof to its end. Every change is written before it is
 * visible (`saving`), and the record alone says where a restarted actor goes on (`resume`).
 */
export const pairingMachine = pairingSetup.createMachine({
  id: 'pairing',
  meta: { senders: pairingSenders },
  context: ({ input }) => ({ ...input, intent: undefined, postponed: [] }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Goes where the record says',
      always: [
        {
          guard: 'has a postponed alert',
          target: 'saving',
          actions: 'intend the postponed alert',
          description: 'What was to be seen came while something else was written: it is noted now',
        },
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
      description: 'A machine has proven a code and has yet to hand in what it wants to offer',
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: { ...undecided, approve: refusedAsEarly, reject: refusedAsEarly },
    },
    pending_approval: {
      description: 'The request is complete and waits for an operator to compare the words and decide',
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: {
        ...undecided,
        approve: [
          {
            guard: 'may decide',
            target: 'saving',
            actions: 'intend approval',
            description: 'The device is trusted: its certificate is issued with the record',
          },
          refusedWithReason,
        ],
        reject: [
          {
            guard: 'may decide',
            target: 'saving',
            actions: 'intend rejection',
            description: 'It ends as rejected',
          },
          refusedWithReason,
        ],
      },
    },
    approved: {
      description: 'The certificate is issued and waits for the machine to say that it is stored',
      entry: 'arm expiry',
      exit: 'disarm expiry',
      on: {
        prove: [
          {
            guard: 'is the same request',
            actions: 'answer with the record',
            description: 'The machine gets the same certificate again',
          },
          {
            guard: 'has nothing of use',
            target: 'saving',
            actions: 'intend proof',
            description:
              'What was issued has ended, is of a CA that was retired, or was taken back with its device: it begins anew',
          },
          {
            guard: 'comes back with another key',
            target: 'saving',
            actions: 'intend proof',
            description:
              'A device that comes back has lost the key that this was decided about: it begins anew',
          },
          refusedAsDecided,
        ],
        submit: [
          {
            guard: 'by its device',
            actions: 'answer with the record',
            description: 'The machine gets the same certificate again',
          },
          refusedAsOther,
        ],
        approve: refusedAsDecided,
        reject: refusedAsDecided,
        cancel: refusedAsTrusted,
        confirm: [
          {
            guard: 'by its device',
            target: 'saving',
            actions: 'intend completion',
            description: 'The machine has stored its certificate: the pairing is completed',
          },
          refusedAsOther,
        ],
        alert: notesAlert,
        expire: { target: 'saving', actions: 'intend expiry', description: 'It ends as expired' },
      },
    },
    saving: {
      description: 'The change is on its way to the disk; nobody sees it before it is there',
      invoke: {
        src: 'commit',
        input: ({ context }) => ({ ports: context.ports, intent: context.intent as PairingIntent }),
        onDone: {
          target: 'resume',
          description: 'It is on disk: whoever asked gets the record',
          actions: [
            { type: 'take what was written', params: ({ event }) => event.output },
            'answer what was intended',
            'forget the intent',
          ],
        },
        onError: {
          target: 'resume',
          description: 'It was not written: whoever asked gets the error, and nothing has changed',
          actions: [
            {
              type: 'answer that it was not written',
              params: ({ event }: { event: { error: unknown } }) => event.error,
            },
            'forget the intent',
          ],
        },
      },
      on: {
        prove: refusedAsBusy,
        submit: refusedAsBusy,
        approve: refusedAsBusy,
        reject: refusedAsBusy,
        cancel: refusedAsBusy,
        confirm: refusedAsBusy,
        alert: { actions: 'postpone the alert', description: 'It is noted as soon as this is written' },
      },
    },
    completed: { type: 'final', description: 'The machine is enrolled' },
    rejected: { type: 'final', description: 'An operator refused the machine' },
    expired: { type: 'final', description: 'Nobody decided, or the machine never confirmed, in time' },
    cancelled: { type: 'final', description: 'An operator took it back' },
  },
});
