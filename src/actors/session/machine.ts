import { setup } from 'xstate';
import type { Senders } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { sendToDispatch } from '../addresses.js';
import type { DispatchEvent, SettlePhase } from '../dispatch/events.js';
import type { FrameBatch } from '../link/batch.js';
import type {
  CancelOrder,
  DaemonFrame,
  DispatchOrder,
  EffectiveSurface,
  GoodbyeKind,
  Hello,
  NodeFrame,
  NodeProgress,
  NodeResult,
} from '../link/frames.js';
import type { Outbound } from './outbound.js';
import { type LiveSession, offlineAfter } from './presence.js';

/** The stream of one session, as its adapter offers it. */
export interface SessionLink {
  readonly batch: FrameBatch<DaemonFrame>;
  /** Ends the stream once everything that was said before is written. */
  end(): void;
}

export type SessionEvent =
  | { type: 'frame'; frame: NodeFrame }
  | { type: 'offer'; order: DispatchOrder }
  | { type: 'withdraw'; dispatchId: string }
  | { type: 'stop'; order: CancelOrder }
  | { type: 'settled'; dispatchId: string }
  | { type: 'ping'; number: number }
  | { type: 'renew'; reason: string }
  | { type: 'surface'; surface: EffectiveSurface }
  | { type: 'end'; kind: GoodbyeKind; reason: string; handedOver?: boolean }
  | { type: 'link.ended'; epoch: number; reason: string }
  | { type: 'silence' }
  | ShutdownEvent;

/** Who sends each of them. */
export const sessionSenders = {
  frame: { from: 'the node' },
  offer: { from: 'a dispatch' },
  withdraw: { from: 'a dispatch' },
  stop: { from: 'a dispatch' },
  settled: { from: 'the store' },
  ping: { from: 'the daemon' },
  renew: { from: 'the record of its device' },
  surface: { from: 'the decisions of operators' },
  end: { from: 'the daemon' },
  'link.ended': { from: 'the connection' },
  silence: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<SessionEvent>;

/** What a session asks of the outside. */
export interface SessionPorts {
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** The unfinished dispatches of the device, oldest first. */
  unfinished(): readonly string[];
  /** What an unfinished dispatch asks for. */
  capabilityOf(dispatchId: string): string | undefined;
  /** Whether an unfinished dispatch is one of this device. */
  owns(dispatchId: string): boolean;
  /** The node has stored its ticket: the session counts from now. */
  live(): void;
  /** The host answers a ping. */
  pong(number: number): void;
  /** What a handler says while it runs. It goes past the dispatch, of which it changes nothing. */
  progress(progress: NodeProgress): void;
  /** A result for a dispatch that has no actor any more, never had one, or is another device's. */
  late(result: NodeResult): void;
  /** @param handedOver the node moves to another stream: it is not gone. */
  ended(reason: string, handedOver: boolean): void;
}

export interface SessionInput {
  readonly ports: SessionPorts;
  readonly link: SessionLink;
  readonly outbound: Outbound;
  readonly session: LiveSession;
  readonly hello: Hello;
  readonly ticketMatches: boolean;
  /** When the certificate behind the stream ends, milliseconds since the epoch. */
  readonly certificateEnds: number;
}

/** How long a node may take from Welcome to Ready, milliseconds. */
const readyLimitMs = 10_000;

type Self = { send(event: SessionEvent): void };

/**
 * Hands what a node says to the dispatch that it is about: only if that is a dispatch of this session's device, whatever
 * id the message names (spec section 5).
 */
function toDispatch(input: SessionInput, dispatchId: string, event: DispatchEvent): boolean {
  return input.ports.owns(dispatchId) && sendToDispatch(input.ports.directory, dispatchId, event);
}

/** Each unfinished dispatch learns what the node knows of it; what only the node knows is stopped or awaited. */
function settle(input: SessionInput): void {
  const { hello, ports, outbound, session, ticketMatches } = input;
  const phases = new Map<string, SettlePhase>(hello.inFlight.map((entry) => [entry.dispatchId, entry.phase]));
  const unfinished = ports.unfinished();
  for (const id of unfinished) {
    const phase = phases.get(id) ?? 'none';
    if (phase === 'received' || phase === 'started') outbound.adopt(id, ports.capabilityOf(id) ?? '');
    toDispatch(input, id, { type: 'settle', epoch: session.epoch, phase, ticketMatches });
  }
  const known = new Set(unfinished);
  for (const { dispatchId, phase } of hello.inFlight) {
    if (known.has(dispatchId)) continue;
    if (phase === 'received' || phase === 'started') {
      input.link.batch.push('cancels', { dispatchId, reason: 'The daemon has ended this dispatch' });
    } else if (phase === 'cancelled') {
      input.link.batch.push('settled', dispatchId);
    }
  }
}

/** Hands everything in a frame to the dispatches that it concerns, in the order in which the node said it. */
function receive(input: SessionInput, frame: NodeFrame): void {
  for (const id of frame.started ?? []) toDispatch(input, id, { type: 'started' });
  for (const { dispatchId, waiting } of frame.mediation ?? []) {
    toDispatch(input, dispatchId, { type: 'mediation', waiting });
    input.outbound.asked(dispatchId, waiting);
  }
  for (const progress of frame.progress ?? []) input.ports.progress(progress);
  for (const { dispatchId, outcome } of frame.cancelOutcomes ?? []) {
    if (outcome === 'not_known') input.outbound.finished(dispatchId);
    const taken = toDispatch(input, dispatchId, { type: 'cancel.outcome', outcome });
    if (!taken && outcome === 'not_known') input.link.batch.push('settled', dispatchId);
  }
  for (const result of frame.results ?? []) {
    if (!toDispatch(input, result.dispatchId, { type: 'result', result })) input.ports.late(result);
    input.outbound.finished(result.dispatchId);
  }
  if (frame.heartbeat) input.link.batch.set('heartbeatAck', true);
  if (frame.pong !== undefined) input.ports.pong(frame.pong);
}

/**
 * One live stream of one node. It opens when Hello was accepted, is live from Ready on, and when it ends every dispatch
 * that it carried learns so. Its address is the device's; its epoch tells it from the sessions before.
 */
export const sessionMachine = setup({
  types: {
    context: {} as SessionInput,
    events: {} as SessionEvent,
    input: {} as SessionInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'says ready': ({ event }) => event.type === 'frame' && event.frame.ready === true,
    'says goodbye': ({ event }) => event.type === 'frame' && event.frame.goodbye !== undefined,
    'is its own link': ({ context, event }) =>
      event.type === 'link.ended' && event.epoch === context.session.epoch,
    'is silent': ({ context }) => silentFor(context) >= context.session.heartbeatMs * offlineAfter,
    'has expired': ({ context }) => context.ports.clock.now() >= context.certificateEnds,
  },
  actions: {
    'note that it was heard': ({ context }) => {
      context.session.seenAt = context.ports.clock.now();
      context.session.seenMonotonic = context.ports.clock.monotonic();
    },
    'arm ready limit': ({ context, self }) => arm(context, self, readyLimitMs, 'ready'),
    'watch for silence': ({ context, self }) => {
      const untilSilent = context.session.heartbeatMs * offlineAfter - silentFor(context);
      const untilExpired = context.certificateEnds - context.ports.clock.now();
      const [left, label] =
        untilExpired < untilSilent ? [untilExpired, 'end of the certificate'] : [untilSilent, 'silence'];
      arm(context, self, Math.max(0, left), label);
    },
    'go live': ({ context }) => context.ports.live(),
    'answer ready': ({ context }) => context.link.batch.set('heartbeatAck', true),
    settle: ({ context }) => settle(context),
    receive: ({ context, event }) => {
      if (event.type === 'frame') receive(context, event.frame);
    },
    offer: ({ context, event }) => {
      if (event.type === 'offer') context.outbound.offer(event.order);
    },
    withdraw: ({ context, event }) => {
      if (event.type === 'withdraw') context.outbound.withdraw(event.dispatchId);
    },
    'tell it to stop': ({ context, event }) => {
      if (event.type !== 'stop') return;
      context.outbound.withdraw(event.order.dispatchId);
      context.link.batch.push('cancels', event.order);
    },
    'tell it to renew': ({ context, event }) => {
      if (event.type === 'renew') context.link.batch.set('renew', { reason: event.reason });
    },
    'tell what it may run': ({ context, event }) => {
      if (event.type === 'surface') context.link.batch.set('surface', event.surface);
    },
    'tell what is settled': ({ context, event }) => {
      if (event.type === 'settled') context.link.batch.push('settled', event.dispatchId);
    },
    ping: ({ context, event }) => {
      if (event.type === 'ping') context.link.batch.set('ping', event.number);
    },
    'say goodbye': ({ context, event }) => {
      if (event.type === 'end') context.link.batch.set('goodbye', { kind: event.kind, reason: event.reason });
      if (event.type === 'kernel.shutdown') {
        context.link.batch.set('goodbye', { kind: 'shutdown', reason: event.reason });
      }
    },
    'say that the certificate has expired': ({ context }) =>
      context.link.batch.set('goodbye', {
        kind: 'certificate_expired',
        reason: 'The certificate of this stream ended',
      }),
    'tear down': ({ context, event, self }) => {
      context.ports.deadlines.release(self);
      context.link.end();
      const reason = event.type === 'link.ended' || event.type === 'end' ? event.reason : event.type;
      context.ports.ended(reason, handsOver(event));
      for (const id of context.outbound.unfinished()) toDispatch(context, id, { type: 'session.lost' });
    },
  },
}).createMachine({
  id: 'session',
  meta: { senders: sessionSenders },
  context: ({ input }) => input,
  initial: 'opening',
  on: {
    end: {
      target: '.closed',
      actions: 'say goodbye',
      description: 'The daemon ends it: replaced by a newer one, revoked, or the node broke the protocol',
    },
    'kernel.shutdown': { target: '.closed', actions: 'say goodbye', description: 'The daemon stops' },
    'link.ended': { guard: 'is its own link', target: '.closed', description: 'The stream is gone' },
  },
  states: {
    opening: {
      description: 'Welcome is out; the node stores its ticket and says Ready',
      entry: 'arm ready limit',
      on: {
        frame: {
          guard: 'says ready',
          target: 'live',
          actions: ['note that it was heard', 'go live', 'answer ready', 'settle', 'receive'],
          description: 'The node is ready and told so: what is in flight is settled, and work goes out',
        },
        silence: { target: 'closed', description: 'The node did not say Ready in time' },
      },
    },
    live: {
      description: 'Work goes out and results come in',
      entry: 'watch for silence',
      on: {
        frame: [
          {
            guard: 'says goodbye',
            target: 'closed',
            actions: ['note that it was heard', 'receive'],
            description: 'The node ends the stream',
          },
          {
            actions: ['note that it was heard', 'receive'],
            description: 'What the node says goes to the dispatches that it is about',
          },
        ],
        offer: { actions: 'offer', description: 'A dispatch goes out, or waits for credit' },
        withdraw: { actions: 'withdraw', description: 'A dispatch that waits for credit is taken back' },
        stop: { actions: 'tell it to stop', description: 'The node is told to stop a dispatch' },
        renew: { actions: 'tell it to renew', description: 'The node is to have a new certificate' },
        surface: {
          actions: 'tell what it may run',
          description: 'What may run on the node has changed: it is told at once',
        },
        settled: { actions: 'tell what is settled', description: 'The node may forget a result' },
        ping: {
          actions: 'ping',
          description: 'Another host came with the identity of this one: does this one answer?',
        },
        silence: [
          {
            guard: 'has expired',
            target: 'closed',
            actions: 'say that the certificate has expired',
            description: 'The certificate of the stream has ended',
          },
          { guard: 'is silent', target: 'closed', description: 'The node has missed four heartbeats' },
          { actions: 'watch for silence', description: 'The node was heard meanwhile' },
        ],
      },
    },
    closed: {
      type: 'final',
      entry: 'tear down',
      description: 'The stream is over; what it carried waits for the next one',
    },
  },
});

/** Whether the node has said, on this stream or with the Hello that ended it, that another stream takes over. */
function handsOver(event: SessionEvent): boolean {
  if (event.type === 'frame') return event.frame.goodbye?.handingOver === true;
  return event.type === 'end' && event.handedOver === true;
}

function silentFor({ ports, session }: SessionInput): number {
  return ports.clock.monotonic() - session.seenMonotonic;
}

function arm({ ports }: SessionInput, self: Self & object, delayMs: number, label: string): void {
  ports.deadlines.release(self);
  ports.deadlines.sendAfter(self, delayMs, { type: 'silence' }, { label });
}
