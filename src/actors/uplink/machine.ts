import { assign, setup } from 'xstate';
import type { Senders } from '../../kernel/authority.js';
import type { Backoff } from '../../kernel/backoff.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { FrameBatch } from '../link/batch.js';
import { DaemonClock } from '../link/daemon-clock.js';
import type {
  CancelOrder,
  DaemonFrame,
  DispatchOrder,
  NodeFrame,
  Registered,
  Welcome,
} from '../link/frames.js';

/** A stream to the daemon, as its adapter offers it. */
export interface UplinkLink {
  readonly batch: FrameBatch<NodeFrame>;
  /** Ends the stream once everything that was said before is written. */
  close(): void;
}

/** What an adapter reports about one stream. Nothing comes after `ended`. */
export interface UplinkHandlers {
  registered(registered: Registered): void;
  frame(frame: DaemonFrame): void;
  ended(error: AppError | undefined): void;
}

/** How the last stream ended, for whoever watches. `verified`: over a connection whose daemon was proven. */
export type UplinkStatus =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'live'; readonly registered: Registered }
  | { readonly state: 'backoff'; readonly delayMs: number; readonly error: AppError | undefined }
  | { readonly state: 'resting'; readonly delayMs: number; readonly error: AppError }
  | { readonly state: 'stopped' };

export type UplinkEvent =
  | { type: 'registered'; link: number; registered: Registered }
  | { type: 'frame'; link: number; frame: DaemonFrame }
  | { type: 'ended'; link: number; error: AppError | undefined }
  | { type: 'ticket.stored'; link: number }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const uplinkSenders = {
  registered: { from: 'the daemon' },
  frame: { from: 'the daemon' },
  ended: { from: 'the connection' },
  'ticket.stored': { from: 'the store' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<UplinkEvent>;

/** What the uplink asks of the node host. */
export interface UplinkPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** A number in [0, 1). */
  random(): number;
  /** Begins to connect, register and say Hello; everything else comes through the handlers. */
  connect(handlers: UplinkHandlers): UplinkLink;
  /** Writes the ticket to disk, then calls back. */
  storeTicket(ticket: Uint8Array, done: () => void): void;
  attach(batch: FrameBatch<NodeFrame>, daemonNow: () => number): void;
  detach(): void;
  receive(order: DispatchOrder, age: number): void;
  cancel(order: CancelOrder): void;
  settled(ids: readonly string[]): void;
  inFlight(): number;
  /** Whether an error is the daemon's own word that this node is not wanted (protocol.md 13). */
  isRefusal(error: AppError): boolean;
  status(status: UplinkStatus): void;
}

interface UplinkContext {
  readonly ports: UplinkPorts;
  readonly link: UplinkLink | undefined;
  /** Tells the streams apart: what an older one still says is not heard (protocol.md 17). */
  readonly generation: number;
  readonly attempt: number;
  readonly registered: Registered | undefined;
  readonly welcome: Welcome | undefined;
  readonly daemonClock: DaemonClock;
  readonly heardAt: number;
}

/** How long connecting may take, from the first packet to Welcome, milliseconds. */
const connectLimitMs = 20_000;
/** A refused or revoked node asks again after this time, milliseconds. */
const restMs = 3_600_000;
/** Silence from the daemon, in heartbeats, after which the stream counts as dead. */
const deadAfter = 3;

type Self = object & { send(event: UplinkEvent): void };

function arm({ ports }: UplinkContext, self: Self, ms: number, label: string): void {
  ports.deadlines.release(self);
  ports.deadlines.sendAfter(self, ms, { type: 'deadline' }, { label });
}

const lost = {
  guard: 'is of this link',
  target: 'backoff',
  actions: 'let go of the link',
  description: 'The stream is gone: it comes back after a while',
} as const;
const refusedOrLost = [
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

/**
 * The node's line to its daemon: connects, registers, serves one stream, and comes back for ever with jittered backoff.
 * Only the newest stream is heard. Where the daemon itself says that the node is not wanted, it rests and asks hourly.
 */
export const uplinkMachine = setup({
  types: {
    context: {} as UplinkContext,
    events: {} as UplinkEvent,
    input: {} as { ports: UplinkPorts },
    meta: {} as MachineMeta,
  },
  guards: {
    'is of this link': ({ context, event }) => 'link' in event && event.link === context.generation,
    'is welcome': ({ context, event }) =>
      event.type === 'frame' &&
      event.link === context.generation &&
      event.frame.welcome !== undefined &&
      context.registered !== undefined,
    'ends the stream': ({ context, event }) =>
      event.type === 'frame' && event.link === context.generation && event.frame.goodbye !== undefined,
    'is refused': ({ context, event }) =>
      event.type === 'ended' &&
      event.link === context.generation &&
      event.error !== undefined &&
      context.ports.isRefusal(event.error),
    // Orders that came with the jump can't be dated, so none of them is taken: the daemon sends them again.
    'the clock jumped': ({ context }) => context.daemonClock.jumped,
    'is dead': ({ context }) =>
      context.ports.clock.monotonic() - context.heardAt > deadAfter * (context.welcome?.heartbeatMs ?? 0),
  },
  actions: {
    connect: assign(({ context, self }) => {
      const generation = context.generation + 1;
      const { ports } = context;
      ports.status({ state: 'connecting', attempt: context.attempt });
      const link = ports.connect({
        registered: (registered) => self.send({ type: 'registered', link: generation, registered }),
        frame: (frame) => self.send({ type: 'frame', link: generation, frame }),
        ended: (error) => self.send({ type: 'ended', link: generation, error }),
      });
      return {
        generation,
        link,
        attempt: context.attempt + 1,
        daemonClock: new DaemonClock(ports.clock),
        registered: undefined,
        welcome: undefined,
      };
    }),
    'limit connecting': ({ context, self }) => arm(context, self, connectLimitMs, 'connect'),
    'keep registration': assign(({ event }) =>
      event.type === 'registered' ? { registered: event.registered } : {},
    ),
    'keep welcome': assign(({ event }) => (event.type === 'frame' ? { welcome: event.frame.welcome } : {})),
    'store the ticket': ({ context, event, self }) => {
      const link = context.generation;
      if (event.type !== 'frame' || !event.frame.welcome) return;
      context.ports.storeTicket(event.frame.welcome.ticket, () => self.send({ type: 'ticket.stored', link }));
    },
    'say ready': ({ context }) => {
      const { ports, link, daemonClock, registered, welcome } = context;
      if (!link || !registered || !welcome) return;
      link.batch.set('ready', true);
      ports.settled(welcome.settled);
      ports.attach(link.batch, () => daemonClock.now());
      ports.status({ state: 'live', registered });
    },
    'count from zero': assign(({ context }) => {
      context.ports.backoff.reset();
      return { attempt: 0 };
    }),
    'note that it was heard': assign(({ context }) => ({ heardAt: context.ports.clock.monotonic() })),
    'schedule heartbeat': ({ context, self }) => {
      const base = context.welcome?.heartbeatMs ?? 10_000;
      // Up to a fifth early, so that a fleet that connected at once does not beat at once.
      arm(context, self, base * (0.8 + 0.2 * context.ports.random()), 'heartbeat');
    },
    'send heartbeat': ({ context }) =>
      context.link?.batch.set('heartbeat', { inFlight: context.ports.inFlight() }),
    serve: ({ context, event }) => {
      if (event.type !== 'frame') return;
      const { ports, daemonClock } = context;
      const { frame } = event;
      const age = frame.sentAtMs === undefined ? 0 : daemonClock.observe(frame.sentAtMs);
      for (const order of frame.dispatches ?? []) ports.receive(order, age);
      for (const order of frame.cancels ?? []) ports.cancel(order);
      if (frame.settled && frame.settled.length > 0) ports.settled(frame.settled);
    },
    observe: ({ context, event }) => {
      if (event.type === 'frame' && event.frame.sentAtMs !== undefined) {
        context.daemonClock.observe(event.frame.sentAtMs);
      }
    },
    'let go of the link': ({ context }) => {
      context.ports.detach();
      context.link?.close();
    },
    'say goodbye': ({ context }) =>
      context.link?.batch.set('goodbye', { reason: 'The node host stops', handingOver: false }),
    'wait before the next attempt': ({ context, event, self }) => {
      const delayMs = context.ports.backoff.next();
      const error = event.type === 'ended' ? event.error : undefined;
      arm(context, self, delayMs, 'reconnect');
      context.ports.status({ state: 'backoff', delayMs, error });
    },
    rest: ({ context, event, self }) => {
      arm(context, self, restMs, 'ask again');
      if (event.type === 'ended' && event.error) {
        context.ports.status({ state: 'resting', delayMs: restMs, error: event.error });
      }
    },
    'say that it stopped': ({ context, self }) => {
      context.ports.deadlines.release(self);
      context.ports.status({ state: 'stopped' });
    },
  },
}).createMachine({
  id: 'uplink',
  meta: { senders: uplinkSenders },
  context: ({ input }) => ({
    ports: input.ports,
    link: undefined,
    generation: 0,
    attempt: 0,
    registered: undefined,
    welcome: undefined,
    daemonClock: new DaemonClock(input.ports.clock),
    heardAt: 0,
  }),
  initial: 'connecting',
  states: {
    connecting: {
      description: 'It connects, registers and says Hello',
      entry: ['connect', 'limit connecting'],
      on: {
        registered: {
          guard: 'is of this link',
          actions: 'keep registration',
          description: 'The daemon says what it accepts of the offer',
        },
        frame: {
          guard: 'is welcome',
          target: 'opening',
          actions: ['observe', 'keep welcome'],
          description: 'The daemon opens the session',
        },
        ended: refusedOrLost,
        deadline: connectTimedOut,
        'kernel.shutdown': {
          target: 'stopped',
          actions: 'let go of the link',
          description: 'The host stops',
        },
      },
    },
    // Welcome is here; Ready goes out when its ticket is on disk.
    opening: {
      description: 'The ticket of the session is being written to disk',
      entry: 'store the ticket',
      on: {
        'ticket.stored': {
          guard: 'is of this link',
          target: 'live',
          actions: ['count from zero', 'note that it was heard', 'say ready'],
          description: 'It is on disk: the node is ready',
        },
        ended: lost,
        deadline: connectTimedOut,
        'kernel.shutdown': {
          target: 'stopped',
          actions: 'let go of the link',
          description: 'The host stops',
        },
      },
    },
    live: {
      description: 'Orders come in and results go out',
      entry: 'schedule heartbeat',
      on: {
        frame: [
          afterJump,
          {
            guard: 'ends the stream',
            actions: 'serve',
            description: 'The daemon says goodbye; the end of the stream follows',
          },
          {
            guard: 'is of this link',
            actions: ['note that it was heard', 'serve'],
            description: 'Orders are taken on',
          },
        ],
        deadline: [
          afterJump,
          {
            guard: 'is dead',
            target: 'backoff',
            actions: 'let go of the link',
            description: 'The daemon has been silent for three heartbeats',
          },
          {
            actions: ['send heartbeat', 'schedule heartbeat'],
            description: 'The node says that it is alive',
          },
        ],
        ended: refusedOrLost,
        'kernel.shutdown': {
          target: 'stopped',
          actions: ['say goodbye', 'let go of the link'],
          description: 'The host stops',
        },
      },
    },
    backoff: {
      description: 'It waits before it connects again',
      entry: 'wait before the next attempt',
      on: {
        deadline: { target: 'connecting', description: 'It connects again' },
        'kernel.shutdown': { target: 'stopped', description: 'The host stops' },
      },
    },
    resting: {
      description: 'The daemon does not want this node; it asks again once an hour',
      entry: 'rest',
      on: {
        deadline: { target: 'connecting', description: 'It asks again' },
        'kernel.shutdown': { target: 'stopped', description: 'The host stops' },
      },
    },
    stopped: { type: 'final', entry: 'say that it stopped', description: 'The host has stopped' },
  },
});
