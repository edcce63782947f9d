import { assign, setup } from 'xstate';
import type { Backoff } from '../../kernel/backoff.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { AppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { FrameBatch } from '../link/batch.js';
import { DaemonClock } from '../link/daemon-clock.js';
import type {
  CancelOrder,
  DispatchOrder,
  EffectiveSurface,
  NodeFrame,
  Registered,
  Welcome,
} from '../link/frames.js';
import type { UplinkEvent } from './events.js';
import type { UplinkHandlers, UplinkLink } from './link.js';

/** How the line stands, for whoever watches. */
export type UplinkStatus =
  | { readonly state: 'connecting'; readonly attempt: number }
  | {
      readonly state: 'live';
      readonly registered: Registered;
      readonly fingerprint: string;
      /** The number of what it has told the daemon that it offers. */
      readonly offered: number;
    }
  | { readonly state: 'backoff'; readonly delayMs: number; readonly error: AppError | undefined }
  | { readonly state: 'resting'; readonly delayMs: number; readonly error: AppError }
  | { readonly state: 'expired'; readonly error: AppError | undefined }
  | { readonly state: 'hand-over failed'; readonly error: AppError | undefined }
  | { readonly state: 'stopped' };

/** What the uplink asks of the node host. */
export interface UplinkPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** A number in [0, 1). */
  random(): number;
  /**
   * Begins to connect and register; everything else comes through the handlers.
   *
   * @param attempt how many have failed since the last live session: 0 takes the newest certificate.
   */
  connect(handlers: UplinkHandlers, attempt: number): UplinkLink;
  /** SHA-256 of the newest certificate of this node, hex. */
  fingerprint(): string;
  /** Numbers what the node offers: another number is another offer, which a connection tells when it is opened. */
  offered(): number;
  /** Whether no certificate of this node is in force any more, by the daemon's clock as it was known last. */
  hasEnded(): boolean;
  /** Whether there is a certificate in force beside the one with that fingerprint: the next attempt takes it. */
  hasOther(fingerprint: string): boolean;
  /** Whether an error says that the certificate is the matter: it has ended, or the daemon does not know it. */
  isAboutCertificate(error: AppError): boolean;
  /** This node can't come with its certificate: it needs another one. */
  needCertificate(): void;
  /** Whether an error is what the daemon itself answered: TLS was fine, and with it the certificate. */
  isDaemonsWord(error: AppError): boolean;
  /** Several attempts have failed without a reason that TLS could tell: the certificate may be the matter. */
  doubtCertificate(): void;
  /** Writes the ticket to disk, then calls back. */
  storeTicket(ticket: Uint8Array, done: () => void): void;
  attach(batch: FrameBatch<NodeFrame>, daemonNow: () => number): void;
  detach(): void;
  receive(order: DispatchOrder, age: number): void;
  cancel(order: CancelOrder): void;
  settled(ids: readonly string[]): void;
  inFlight(): number;
  /** What may run on this node has changed. */
  surface(surface: EffectiveSurface): void;
  /** The operator wants this node to have a new certificate. */
  renew(reason: string): void;
  /** Whether an error is the daemon's own word that this node is not wanted (protocol.md 13). */
  isRefusal(error: AppError): boolean;
  /** The daemon does not want this node: where it has shut the device out, what it asked for is stopped. */
  refused(error: AppError): void;
  status(status: UplinkStatus): void;
}

interface NextLink {
  readonly link: UplinkLink;
  readonly generation: number;
  readonly offered: number;
  readonly since: number;
}

/** What an uplink knows. */
export interface UplinkContext {
  readonly ports: UplinkPorts;
  /** The stream that counts, and its number, which tells the streams apart: an older one is not heard (protocol.md 17). */
  readonly link: UplinkLink | undefined;
  readonly generation: number;
  /** What it has told the daemon that the node offers. */
  readonly offered: number;
  /** The stream with a newer certificate or offer that is to take over, until its registration is accepted. */
  readonly next: NextLink | undefined;
  /** How many streams there have been. */
  readonly links: number;
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
/** After so many failed attempts, and again after as many, the certificate is doubted. */
const doubtAfter = 3;
/** Silence from the daemon, in heartbeats, after which the stream counts as dead. */
const deadAfter = 3;

type Self = object & { send(event: UplinkEvent): void };

function arm({ ports }: UplinkContext, self: Self, ms: number, label: string): void {
  ports.deadlines.release(self);
  ports.deadlines.sendAfter(self, ms, { type: 'deadline' }, { label });
}

function open({ ports }: UplinkContext, self: Self, generation: number, attempt: number): UplinkLink {
  return ports.connect(
    {
      registered: (registered) => self.send({ type: 'registered', link: generation, registered }),
      frame: (frame) => self.send({ type: 'frame', link: generation, frame }),
      ended: (error) => self.send({ type: 'ended', link: generation, error }),
    },
    attempt,
  );
}

/** Guards and actions of an uplink, by name. The chart that uses them is in `machine.ts`. */
export const uplinkSetup = setup({
  types: {
    context: {} as UplinkContext,
    events: {} as UplinkEvent,
    input: {} as { ports: UplinkPorts },
    meta: {} as MachineMeta,
  },
  guards: {
    'is of this link': ({ context, event }) => 'link' in event && event.link === context.generation,
    'is of the next link': ({ context, event }) =>
      'link' in event && context.next !== undefined && event.link === context.next.generation,
    'is welcome': ({ context, event }) =>
      event.type === 'frame' && event.link === context.generation && event.frame.welcome !== undefined,
    'ends the stream': ({ context, event }) =>
      event.type === 'frame' && event.link === context.generation && event.frame.goodbye !== undefined,
    'has no certificate in force': ({ context }) => context.ports.hasEnded(),
    'has no use for its certificate': ({ context, event }) => {
      if (event.type !== 'ended' || event.link !== context.generation || !event.error) return false;
      const { ports, link, attempt } = context;
      if (!ports.isAboutCertificate(event.error)) return false;
      return attempt > 1 || !ports.hasOther(link?.fingerprint ?? '');
    },
    'is refused': ({ context, event }) =>
      event.type === 'ended' &&
      event.link === context.generation &&
      event.error !== undefined &&
      !context.ports.isAboutCertificate(event.error) &&
      context.ports.isRefusal(event.error),
    // Orders that came with the jump can't be dated, so none of them is taken: the daemon sends them again.
    'the clock jumped': ({ context }) => context.daemonClock.jumped,
    'is dead': ({ context }) =>
      context.ports.clock.monotonic() - context.heardAt > deadAfter * (context.welcome?.heartbeatMs ?? 0),
    'has a newer certificate': ({ context }) => context.link?.fingerprint !== context.ports.fingerprint(),
    'offers something else': ({ context }) => context.offered !== context.ports.offered(),
    'takes too long': ({ context }) =>
      context.next !== undefined && context.ports.clock.monotonic() - context.next.since >= connectLimitMs,
  },
  actions: {
    connect: assign(({ context, self }) => {
      const generation = context.links + 1;
      const { ports, attempt } = context;
      ports.status({ state: 'connecting', attempt });
      return {
        generation,
        offered: ports.offered(),
        links: generation,
        link: open(context, self, generation, attempt),
        attempt: attempt + 1,
        daemonClock: new DaemonClock(ports.clock),
        registered: undefined,
        welcome: undefined,
      };
    }),
    'connect beside': assign(({ context, self }) => {
      const generation = context.links + 1;
      const offered = context.ports.offered();
      const link = open(context, self, generation, 0);
      const since = context.ports.clock.monotonic();
      return { links: generation, next: { link, generation, offered, since } };
    }),
    'limit connecting': ({ context, self }) => arm(context, self, connectLimitMs, 'connect'),
    'keep registration': assign(({ event }) =>
      event.type === 'registered' ? { registered: event.registered } : {},
    ),
    'say hello': ({ context }) => context.link?.hello(false),
    // The old stream ends before Hello, so that both sides know which of the two counts (protocol.md 17).
    'move to the next link': assign(({ context, event }) => {
      const { ports, link, next } = context;
      if (!next || event.type !== 'registered') return {};
      ports.detach();
      link?.batch.set('goodbye', {
        reason: 'A newer stream takes over',
        handingOver: true,
      });
      link?.close();
      next.link.hello(true);
      return {
        link: next.link,
        generation: next.generation,
        offered: next.offered,
        next: undefined,
        registered: event.registered,
        welcome: undefined,
        daemonClock: new DaemonClock(ports.clock),
      };
    }),
    'go on with the next link': assign(({ context }) => {
      const { ports, link, next } = context;
      if (!next) return {};
      ports.detach();
      link?.close();
      return {
        link: next.link,
        generation: next.generation,
        offered: next.offered,
        next: undefined,
        registered: undefined,
        welcome: undefined,
        daemonClock: new DaemonClock(ports.clock),
      };
    }),
    'drop the next link': assign(({ context, event }) => {
      context.next?.link.close();
      const error = event.type === 'ended' ? event.error : undefined;
      context.ports.status({ state: 'hand-over failed', error });
      return { next: undefined };
    }),
    'keep welcome': assign(({ event }) => (event.type === 'frame' ? { welcome: event.frame.welcome } : {})),
    'store the ticket': ({ context, event, self }) => {
      const link = context.generation;
      if (event.type !== 'frame' || !event.frame.welcome) return;
      context.ports.storeTicket(event.frame.welcome.ticket, () => self.send({ type: 'ticket.stored', link }));
    },
    'say ready': ({ context }) => {
      const { ports, link, daemonClock, welcome } = context;
      if (!link || !welcome) return;
      link.batch.set('ready', true);
      ports.settled(welcome.settled);
      ports.attach(link.batch, () => daemonClock.now());
    },
    'say that it is live': ({ context: { ports, link, offered, registered } }) => {
      if (link && registered) {
        ports.status({ state: 'live', registered, fingerprint: link.fingerprint, offered });
      }
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
      if (frame.renew) ports.renew(frame.renew.reason);
      if (frame.surface) ports.surface(frame.surface);
      // Only who is heard here is the node; a copy of it, or an older stream, is not asked.
      if (frame.ping) context.link?.batch.set('pong', frame.ping);
    },
    observe: ({ context, event }) => {
      if (event.type === 'frame' && event.frame.sentAtMs !== undefined) {
        context.daemonClock.observe(event.frame.sentAtMs);
      }
    },
    'let go of the link': assign(({ context }) => {
      context.ports.detach();
      context.link?.close();
      context.next?.link.close();
      return { next: undefined };
    }),
    'say goodbye': ({ context }) =>
      context.link?.batch.set('goodbye', { reason: 'The node host stops', handingOver: false }),
    'wait before the next attempt': ({ context, event, self }) => {
      const delayMs = context.ports.backoff.next();
      const error = event.type === 'ended' ? event.error : undefined;
      arm(context, self, delayMs, 'reconnect');
      context.ports.status({ state: 'backoff', delayMs, error });
      const hasSpoken = error !== undefined && context.ports.isDaemonsWord(error);
      if (hasSpoken || context.attempt === 0 || context.attempt % doubtAfter !== 0) return;
      context.ports.doubtCertificate();
    },
    'wait for a certificate': ({ context, event, self }) => {
      // The hour is for the case that the daemon's clock says otherwise than this node's.
      arm(context, self, restMs, 'try the old certificate');
      context.ports.status({ state: 'expired', error: event.type === 'ended' ? event.error : undefined });
      context.ports.needCertificate();
    },
    rest: ({ context, event, self }) => {
      arm(context, self, restMs, 'ask again');
      if (event.type === 'ended' && event.error) {
        context.ports.refused(event.error);
        context.ports.status({ state: 'resting', delayMs: restMs, error: event.error });
      }
    },
    'say that it stopped': ({ context, self }) => {
      context.ports.deadlines.release(self);
      context.ports.status({ state: 'stopped' });
    },
  },
});
