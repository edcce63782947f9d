import { DaemonClock } from '../link/daemon-clock.js';
import { uplinkSetup } from './behaviour.js';
import { uplinkSenders } from './events.js';

const lost = {
  guard: 'is of this link',
  target: 'backoff',
  actions: 'let go of the link',
  description: 'The stream is gone: it comes back after a while',
} as const;
const expires = {
  guard: 'has no use for its certificate',
  target: 'expired',
  actions: 'let go of the link',
  description: 'The daemon does not take its certificate: it needs another one',
} as const;
const refusedOrLost = [
  expires,
  {
    guard: 'is refused',
    target: 'resting',
    actions: 'let go of the link',
    description: 'The daemon itself says that this node is not wanted',
  },
  lost,
] as const;
const connectTimedOut = {
  target: 'backoff',
  actions: 'let go of the link',
  description: 'The daemon did not answer in time',
} as const;
const afterJump = {
  guard: 'the clock jumped',
  target: 'backoff',
  actions: 'let go of the link',
  description: 'The clock jumped: what came with the jump is not taken, the daemon sends it again',
} as const;
const dies = {
  guard: 'is dead',
  target: 'backoff',
  actions: 'let go of the link',
  description: 'The daemon has been silent for three heartbeats',
} as const;
const beats = {
  actions: ['send heartbeat', 'schedule heartbeat'],
  description: 'The node says that it is alive',
} as const;
const endsStream = {
  guard: 'ends the stream',
  actions: 'serve',
  description: 'The daemon says goodbye; the end of the stream follows',
} as const;
const serves = [
  afterJump,
  endsStream,
  {
    guard: 'is of this link',
    actions: ['note that it was heard', 'serve'],
    description: 'Orders are taken on',
  },
] as const;
const stops = {
  target: 'stopped',
  actions: 'let go of the link',
  description: 'The host stops',
} as const;
const stopsLive = {
  target: 'stopped',
  actions: ['say goodbye', 'let go of the link'],
  description: 'The host stops and says goodbye',
} as const;
const comesAtOnce = {
  target: 'connecting',
  actions: ['count from zero', 'connect'],
  description: 'There is a certificate to try: it is tried at once',
} as const;

/**
 * The node's line to its daemon: connects, registers, serves one stream, and comes back for ever with jittered backoff.
 * Only the newest stream is heard. Where the daemon itself says that the node is not wanted, it rests and asks hourly. With
 * a new certificate or a new offer it moves to a new stream; the old one serves until the daemon has accepted the new one's registration.
 */
export const uplinkMachine = uplinkSetup.createMachine({
  id: 'uplink',
  meta: { senders: uplinkSenders },
  context: ({ input }) => ({
    ports: input.ports,
    link: undefined,
    generation: 0,
    offered: 0,
    next: undefined,
    links: 0,
    attempt: 0,
    registered: undefined,
    welcome: undefined,
    daemonClock: new DaemonClock(input.ports.clock),
    heardAt: 0,
  }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Begins to connect',
      always: [
        {
          guard: 'has no certificate in force',
          target: 'expired',
          description: 'It was away for longer than its certificate lives',
        },
        { target: 'connecting', actions: 'connect', description: 'It has a certificate' },
      ],
    },
    connecting: {
      description: 'It connects and registers',
      entry: 'limit connecting',
      on: {
        registered: {
          guard: 'is of this link',
          target: 'greeting',
          actions: ['keep registration', 'say hello'],
          description: 'The daemon says what it accepts of the offer',
        },
        ended: refusedOrLost,
        deadline: connectTimedOut,
        'kernel.shutdown': stops,
      },
    },
    greeting: {
      description: 'Hello is said; it waits for Welcome',
      entry: 'limit connecting',
      on: {
        frame: {
          guard: 'is welcome',
          target: 'opening',
          actions: ['observe', 'keep welcome'],
          description: 'The daemon opens the session',
        },
        ended: refusedOrLost,
        deadline: connectTimedOut,
        'kernel.shutdown': stops,
      },
    },
    // Welcome is here; Ready goes out when its ticket is on disk.
    opening: {
      description: 'The ticket of the session is being written to disk',
      entry: 'store the ticket',
      on: {
        'ticket.stored': {
          guard: 'is of this link',
          target: 'confirming',
          actions: ['count from zero', 'note that it was heard', 'say ready'],
          description: 'It is on disk: the node is ready',
        },
        ended: lost,
        deadline: connectTimedOut,
        'kernel.shutdown': stops,
      },
    },
    // The daemon counts the session from when Ready has arrived, so that is when the node says that it is connected.
    confirming: {
      description: 'Ready is said and results go out; the daemon has not answered yet',
      entry: 'schedule heartbeat',
      on: {
        frame: [
          afterJump,
          endsStream,
          {
            guard: 'is of this link',
            target: 'live',
            actions: ['note that it was heard', 'say that it is live', 'serve'],
            description: 'The daemon has heard Ready: the session counts',
          },
        ],
        deadline: [afterJump, dies, beats],
        ended: refusedOrLost,
        'kernel.shutdown': stopsLive,
      },
    },
    live: {
      description: 'Orders come in and results go out',
      entry: 'schedule heartbeat',
      on: {
        frame: serves,
        deadline: [
          afterJump,
          dies,
          {
            guard: 'offers something else',
            target: 'handing_over',
            actions: 'send heartbeat',
            description: 'The daemon does not know yet what it offers by now',
          },
          beats,
        ],
        ended: refusedOrLost,
        'certificate.changed': {
          guard: 'has a newer certificate',
          target: 'handing_over',
          description: 'It opens a second stream with the new certificate',
        },
        'offer.changed': {
          guard: 'offers something else',
          target: 'handing_over',
          description: 'It opens a second stream, which tells what it offers by now',
        },
        'kernel.shutdown': stopsLive,
      },
    },
    handing_over: {
      description: 'It registers anew, while the old stream still serves',
      entry: ['connect beside', 'schedule heartbeat'],
      on: {
        registered: {
          guard: 'is of the next link',
          target: 'greeting',
          actions: 'move to the next link',
          description: 'The daemon accepts it: the old stream ends, then the new one says Hello',
        },
        frame: serves,
        deadline: [
          afterJump,
          dies,
          {
            guard: 'takes too long',
            target: 'live',
            actions: ['drop the next link', 'send heartbeat'],
            description: 'The daemon did not answer in time: the old stream goes on',
          },
          beats,
        ],
        ended: [
          {
            guard: 'is of the next link',
            target: 'live',
            actions: 'drop the next link',
            description: 'The new stream does not come about: the old one goes on',
          },
          {
            guard: 'is of this link',
            target: 'connecting',
            actions: 'go on with the next link',
            description: 'The old stream is gone: the new one is all there is',
          },
        ],
        'kernel.shutdown': stopsLive,
      },
    },
    backoff: {
      description: 'It waits before the next attempt',
      entry: 'wait before the next attempt',
      on: {
        deadline: [
          {
            guard: 'has no certificate in force',
            target: 'expired',
            description: 'Its certificate has ended meanwhile',
          },
          { target: 'connecting', actions: 'connect', description: 'It tries again' },
        ],
        'certificate.changed': comesAtOnce,
        'kernel.shutdown': { target: 'stopped', description: 'The host stops' },
      },
    },
    resting: {
      description: 'The daemon does not want this node: it asks again in an hour',
      entry: 'rest',
      on: {
        deadline: { target: 'connecting', actions: 'connect', description: 'It asks again' },
        'certificate.changed': comesAtOnce,
        'kernel.shutdown': { target: 'stopped', description: 'The host stops' },
      },
    },
    expired: {
      description: 'It has no certificate that it could come with, and waits for one',
      entry: 'wait for a certificate',
      on: {
        'certificate.changed': comesAtOnce,
        deadline: { target: 'connecting', actions: 'connect', description: 'It tries what it has' },
        'kernel.shutdown': { target: 'stopped', description: 'The host stops' },
      },
    },
    stopped: {
      type: 'final',
      description: 'The host has stopped it',
      entry: 'say that it stopped',
    },
  },
});
