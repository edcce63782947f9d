import { renewalSetup } from './behaviour.js';
import { renewalSenders } from './events.js';

const failedAsRefused = {
  guard: 'is refused',
  target: 'resting',
  description: 'The daemon itself says that this node is not wanted',
} as const;
const failed = {
  guard: 'is of this step',
  target: 'pausing',
  description: 'It did not work; the old certificate stays in use',
} as const;

/**
 * The renewal of a node's certificate, at two thirds of its life or when the operator orders it. The key is on disk before
 * it is asked for, and the answer before it is used, so a host that dies at any step goes on where it was: it asks again
 * with the same key and gets the same certificate.
 */
export const renewalMachine = renewalSetup.createMachine({
  id: 'renewal',
  meta: { senders: renewalSenders },
  context: ({ input }) => ({ ports: input.ports, step: 0, grant: undefined, spread: 0 }),
  initial: 'resume',
  on: {
    'line.live': [
      {
        guard: 'uses the newest',
        actions: 'forget the one before',
        description: 'The newest certificate works: the one before is deleted',
      },
      {
        actions: 'tell the uplink',
        description: 'The line stands with the certificate before: the newest is tried again',
      },
    ],
    'kernel.shutdown': { target: '.stopped', description: 'The host stops' },
  },
  states: {
    resume: {
      description: 'Goes where the disk says',
      always: [
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
      entry: ['draw the spread', 'look again later'],
      on: {
        deadline: [
          {
            guard: 'is due',
            target: 'preparing',
            actions: 'say that it renews',
            description: 'Two thirds of its life are over',
          },
          { actions: 'look again later', description: 'It is not due yet' },
        ],
        order: {
          target: 'preparing',
          actions: 'say that it renews',
          description: 'The operator wants a new one',
        },
      },
    },
    preparing: {
      description: 'A fresh key and its request are written to disk',
      entry: 'prepare',
      on: {
        prepared: {
          guard: 'is of this step',
          target: 'asking',
          description: 'They are on disk',
        },
        failed,
      },
    },
    asking: {
      description: 'The daemon is asked for the next certificate',
      entry: 'ask',
      on: {
        granted: {
          guard: 'is of this step',
          target: 'storing',
          actions: 'keep the grant',
          description: 'The daemon has issued it',
        },
        failed: [failedAsRefused, failed],
      },
    },
    storing: {
      description: 'The certificate takes the place of the one before, on disk, in one step',
      entry: 'store',
      on: {
        stored: {
          guard: 'is of this step',
          target: 'waiting',
          actions: ['say that it is renewed', 'tell the uplink'],
          description: 'It is on disk: the line moves to it',
        },
        failed,
      },
    },
    pausing: {
      description: 'It waits before the next attempt',
      entry: 'wait before the next attempt',
      on: {
        deadline: { target: 'preparing', description: 'It tries again, with the same key if there is one' },
      },
    },
    resting: {
      description: 'The daemon does not want this node: it asks again in an hour',
      entry: 'rest',
      on: {
        deadline: { target: 'preparing', description: 'It asks again' },
      },
    },
    stopped: { type: 'final', description: 'The host has stopped it', entry: 'let go' },
  },
});
