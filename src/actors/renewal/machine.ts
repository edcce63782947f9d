import { renewalSetup } from './behaviour.js';
import { renewalSenders } from './events.js';

const failedAsRefused = {
  guard: 'is refused',
  target: 'resting',
  description: 'The daemon or its operator says that this node is not wanted',
} as const;
const failed = {
  guard: 'is of this step',
  target: 'pausing',
  description: 'It did not work; what there is stays in use',
} as const;
const forgetsPrevious = {
  guard: 'uses the newest',
  actions: 'forget the one before',
  description: 'The newest certificate works: the one before is deleted',
} as const;
const triesNewest = {
  actions: 'tell the uplink',
  description: 'The line stands with the certificate before: the newest is tried again',
} as const;
const comesBack = {
  target: 'preparing',
  actions: 'ask without one',
} as const;

/**
 * The renewal of a node's certificate, at two thirds of its life or when the operator orders it; and the way back when it
 * has ended or is not known any more. The key is on disk before it is asked for, and the answer before it is used, so a
 * host that dies at any step goes on where it was: it asks again with the same key and gets the same certificate.
 */
export const renewalMachine = renewalSetup.createMachine({
  id: 'renewal',
  meta: { senders: renewalSenders },
  context: ({ input }) => ({
    ports: input.ports,
    step: 0,
    way: 'renewal',
    grant: undefined,
    waiting: undefined,
    spread: 0,
  }),
  initial: 'resume',
  on: {
    'line.live': [forgetsPrevious, triesNewest],
    'certificate.refused': {
      actions: 'ask without one',
      description:
        'The line can not be opened with what it has: if this attempt fails, it comes back without',
    },
    'kernel.shutdown': { target: '.stopped', description: 'The host stops' },
  },
  states: {
    resume: {
      description: 'Goes where the disk says',
      always: [
        {
          guard: 'has to confirm',
          target: 'confirming',
          description: 'It has come back, and the daemon has not heard that it is stored',
        },
        {
          guard: 'has ended',
          ...comesBack,
          description: 'It was away for longer than its certificate lives',
        },
        {
          guard: 'has a request',
          target: 'asking',
          description: 'A request was under way when the host stopped: it is asked again',
        },
        { target: 'waiting', description: 'Nothing is under way' },
      ],
    },
    waiting: {
      description: 'The certificate is good; the wall clock is looked at once a minute',
      entry: ['ask with the one before', 'draw the spread', 'look again later'],
      on: {
        deadline: [
          { guard: 'has ended', ...comesBack, description: 'It has ended: a machine slept too long' },
          {
            guard: 'is due',
            target: 'preparing',
            actions: 'say that it renews',
            description: 'Two thirds of its life are over',
          },
          { actions: 'look again later', description: 'It is not due yet' },
        ],
        order: [
          {
            guard: 'has one that is not used yet',
            description: 'A new one is about to be used: if it will not do, the daemon asks again then',
          },
          {
            target: 'preparing',
            actions: 'say that it renews',
            description: 'The operator wants a new one',
          },
        ],
        'certificate.refused': { ...comesBack, description: 'The line can not be opened with what it has' },
        'certificate.doubted': {
          ...comesBack,
          description: 'The line can not be opened, and nothing says why: the enrolment port is asked',
        },
      },
    },
    preparing: {
      description: 'A fresh key and its request are written to disk',
      entry: 'prepare',
      on: {
        prepared: [
          { guard: 'has to come back', target: 'returning', description: 'They are on disk' },
          { guard: 'is of this step', target: 'asking', description: 'They are on disk' },
        ],
        failed,
      },
    },
    asking: {
      description: 'The daemon is asked for the next certificate, over a connection with the one before',
      entry: 'ask',
      on: {
        granted: {
          guard: 'is of this step',
          target: 'storing',
          actions: 'keep the grant',
          description: 'The daemon has issued it',
        },
        failed: [
          {
            guard: 'is about its certificate',
            target: 'returning',
            actions: 'ask without one',
            description: 'The daemon does not take the one before: it comes back without',
          },
          failedAsRefused,
          failed,
        ],
      },
    },
    returning: {
      description: 'The daemon is asked on its enrolment port, by the identity key alone',
      entry: 'ask to come back',
      exit: 'hang up',
      on: {
        pending: {
          guard: 'is of this step',
          actions: 'say that the operator decides',
          description: 'It waits for the operator',
        },
        granted: {
          guard: 'is of this step',
          target: 'storing',
          actions: 'keep the grant',
          description: 'The operator or the policy has let it come back',
        },
        failed: [
          {
            guard: 'is in force',
            target: 'waiting',
            actions: 'tell the uplink',
            description: 'Its certificate is good after all',
          },
          failedAsRefused,
          failed,
        ],
        'line.live': [
          { ...forgetsPrevious, target: 'waiting' },
          { ...triesNewest, target: 'waiting' },
        ],
      },
    },
    storing: {
      description: 'The certificate takes the place of the one before, on disk, in one step',
      entry: 'store',
      on: {
        stored: [
          {
            guard: 'is stored and to be confirmed',
            target: 'confirming',
            actions: ['say that it is renewed', 'tell the uplink'],
            description: 'It is on disk: the line comes back with it',
          },
          {
            guard: 'is of this step',
            target: 'waiting',
            actions: ['say that it is renewed', 'tell the uplink'],
            description: 'It is on disk: the line moves to it',
          },
        ],
        failed,
      },
    },
    confirming: {
      description: 'The daemon is told that the certificate is stored, so that the pairing is completed',
      entry: 'confirm',
      on: {
        confirmed: { guard: 'is of this step', target: 'waiting', description: 'The pairing is completed' },
        failed,
      },
    },
    pausing: {
      description: 'It waits before the next attempt',
      entry: 'wait before the next attempt',
      on: {
        deadline: [
          { guard: 'has ended', ...comesBack, description: 'The certificate has ended meanwhile' },
          {
            guard: 'is due before it is confirmed',
            target: 'preparing',
            actions: ['ask with the one before', 'say that it renews'],
            description:
              'The enrolment port hears no confirmation, and two thirds of the life are over: the next one is asked for on the node port',
          },
          { guard: 'has to confirm', target: 'confirming', description: 'It tells the daemon again' },
          { target: 'preparing', description: 'It tries again, with the same key if there is one' },
        ],
        'line.live': {
          guard: 'comes back with the newest',
          target: 'waiting',
          actions: 'forget the one before',
          description: 'The line stands: there is no need to come back',
        },
      },
    },
    resting: {
      description: 'This node is not wanted: it asks again in an hour',
      entry: 'rest',
      on: {
        deadline: { target: 'preparing', description: 'It asks again' },
      },
    },
    stopped: { type: 'final', description: 'The host has stopped it', entry: 'let go' },
  },
});
