import { assign, setup } from 'xstate';
import type { Backoff } from '../../kernel/backoff.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { renewalTime, untilNextLook, type Validity } from '../identity/validity.js';
import type { RenewalEvent } from './events.js';
import type { ReturnGrant } from './grant.js';

/** How the renewal stands, for whoever watches. Times are milliseconds. */
export type RenewalStatus =
  | { readonly state: 'renewing'; readonly reason: string }
  | { readonly state: 'returning' }
  | { readonly state: 'pending'; readonly pairingId: string }
  | { readonly state: 'renewed'; readonly notAfter: number }
  | { readonly state: 'retrying'; readonly delayMs: number; readonly error: AppError }
  | { readonly state: 'resting'; readonly delayMs: number; readonly error: AppError };

/** What the renewal of a node's certificate asks of the node host. */
export interface RenewalPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** A number in [0, 1). */
  random(): number;
  /** The daemon's wall clock as it was known last, milliseconds since the epoch. */
  daemonNow(): number;
  /** The newest certificate. */
  newest(): Validity & { readonly fingerprint: string };
  /** Whether the newest one has not worked yet: the line is on its way to it. */
  isUnproven(): boolean;
  /** Whether no certificate is in force any more, by the daemon's clock as it was known last. */
  hasEnded(): boolean;
  /** Whether the newest one came by a pairing that is not confirmed yet. */
  hasToConfirm(): boolean;
  /** Whether a request is under way: its key is on disk, and the daemon may have answered it already. */
  hasRequest(): boolean;
  /** Makes a fresh key and its request, if none is under way. Resolves when they are on disk. */
  prepare(): Promise<void>;
  /** Asks the daemon for the certificate of the request under way. */
  renew(): Promise<ReturnGrant>;
  /**
   * Asks on the enrolment port for the certificate of the request under way, by the identity key alone, and waits for the
   * decision.
   *
   * @param pending gets the id of the pairing when an operator has to decide
   * @param signal aborts when there is no need any more
   */
  comeBack(pending: (pairingId: string) => void, signal: AbortSignal): Promise<ReturnGrant>;
  /** Tells the daemon that what came by a pairing is stored. */
  confirm(): Promise<void>;
  /** Makes it the newest one, on disk, in one step. */
  store(grant: ReturnGrant): Promise<void>;
  /** The newest one, which is this one, has worked: the one before is deleted. */
  forgetPrevious(fingerprint: string): void;
  /** The uplink is to move to the newest one. */
  changed(): void;
  /** Whether an error says that the certificate is the matter: it has ended, or the daemon does not know it. */
  isAboutCertificate(error: AppError): boolean;
  /** Whether an error says that the certificate is good as it is. */
  isInForce(error: AppError): boolean;
  /** Whether an error is the daemon's own word that this node is not wanted (protocol.md 13), or the operator's. */
  isRefusal(error: AppError): boolean;
  status(status: RenewalStatus): void;
}

/** What a renewal knows. */
export interface RenewalContext {
  readonly ports: RenewalPorts;
  /** Counts what was asked of the outside. */
  readonly step: number;
  /** How the next certificate is asked for: with the one before, or by coming back without one. */
  readonly way: 'renewal' | 'return';
  readonly grant: ReturnGrant | undefined;
  /** Ends the call on which the node waits for the decision. */
  readonly waiting: AbortController | undefined;
  /** How much of its spread this renewal comes earlier, in [0, 1). */
  readonly spread: number;
}

/** How much earlier than at two thirds a renewal comes at most, so that those of a fleet are not at once: part of the life. */
const spreadShare = 0.05;
/** A node that is not wanted asks again after this time, milliseconds. */
const restMs = 3_600_000;

type Self = object & {
  send(event: RenewalEvent): void;
  getSnapshot(): { readonly status: string };
};

function due({ ports, spread }: RenewalContext): number {
  const newest = ports.newest();
  return renewalTime(newest) - spread * spreadShare * (newest.notAfter - newest.notBefore);
}

function arm({ ports }: RenewalContext, self: Self, ms: number, label: string): void {
  ports.deadlines.release(self);
  ports.deadlines.sendAfter(self, ms, { type: 'deadline' }, { label });
}

/** Does one step outside and hears of it as an event. */
function take<T>(self: Self, step: number, work: Promise<T>, done: (result: T) => RenewalEvent): void {
  const tell = (event: RenewalEvent): void => {
    // The host may have stopped meanwhile.
    if (self.getSnapshot().status === 'active') self.send(event);
  };
  work.then(
    (result) => tell(done(result)),
    (thrown: unknown) => tell({ type: 'failed', step, error: toAppError(thrown) }),
  );
}

/** Guards and actions of a renewal, by name. The chart that uses them is in `machine.ts`. */
export const renewalSetup = setup({
  types: {
    context: {} as RenewalContext,
    events: {} as RenewalEvent,
    input: {} as { ports: RenewalPorts },
    meta: {} as MachineMeta,
  },
  guards: {
    'has a request': ({ context }) => context.ports.hasRequest(),
    'has to confirm': ({ context }) => context.ports.hasToConfirm(),
    'has ended': ({ context }) => context.ports.hasEnded(),
    'has to come back': ({ context, event }) =>
      context.way === 'return' && (!('step' in event) || event.step === context.step),
    'is about its certificate': ({ context, event }) =>
      event.type === 'failed' && event.step === context.step && context.ports.isAboutCertificate(event.error),
    'is in force': ({ context, event }) =>
      event.type === 'failed' && event.step === context.step && context.ports.isInForce(event.error),
    'comes back with the newest': ({ context, event }) =>
      context.way === 'return' &&
      event.type === 'line.live' &&
      event.fingerprint === context.ports.newest().fingerprint,
    'has one that is not used yet': ({ context }) => context.ports.isUnproven(),
    'is due': ({ context }) => context.ports.daemonNow() >= due(context),
    'is due before it is confirmed': ({ context }) =>
      context.ports.hasToConfirm() && context.ports.daemonNow() >= due(context),
    'is of this step': ({ context, event }) => 'step' in event && event.step === context.step,
    'is refused': ({ context, event }) =>
      event.type === 'failed' && event.step === context.step && context.ports.isRefusal(event.error),
    'is stored and to be confirmed': ({ context, event }) =>
      event.type === 'stored' && event.step === context.step && context.ports.hasToConfirm(),
    'uses the newest': ({ context, event }) =>
      event.type === 'line.live' && event.fingerprint === context.ports.newest().fingerprint,
  },
  actions: {
    'draw the spread': assign(({ context }) => ({ spread: context.ports.random() })),
    'ask with the one before': assign(() => ({ way: 'renewal' as const })),
    'ask without one': assign(() => ({ way: 'return' as const })),
    'look again later': ({ context, self }) => {
      const delayMs = untilNextLook(due(context), context.ports.daemonNow());
      arm(context, self, delayMs, 'renew the certificate');
    },
    'say that it renews': ({ context, event }) => {
      const reason = event.type === 'order' ? event.reason : '';
      context.ports.status({ state: 'renewing', reason });
    },
    prepare: assign(({ context: { ports, step }, self }) => {
      const next = step + 1;
      ports.deadlines.release(self);
      take(self, next, ports.prepare(), () => ({ type: 'prepared', step: next }));
      return { step: next };
    }),
    ask: assign(({ context: { ports, step }, self }) => {
      const next = step + 1;
      take(self, next, ports.renew(), (grant) => ({ type: 'granted', step: next, grant }));
      return { step: next };
    }),
    'ask to come back': assign(({ context: { ports, step }, self }) => {
      const next = step + 1;
      const waiting = new AbortController();
      ports.status({ state: 'returning' });
      const pending = (pairingId: string): void => self.send({ type: 'pending', step: next, pairingId });
      const asked = ports.comeBack(pending, waiting.signal);
      take(self, next, asked, (grant) => ({ type: 'granted', step: next, grant }));
      return { step: next, waiting };
    }),
    'say that the operator decides': ({ context, event }) => {
      if (event.type === 'pending') context.ports.status({ state: 'pending', pairingId: event.pairingId });
    },
    'hang up': assign(({ context }) => {
      context.waiting?.abort();
      return { waiting: undefined };
    }),
    confirm: assign(({ context: { ports, step }, self }) => {
      const next = step + 1;
      take(self, next, ports.confirm(), () => ({ type: 'confirmed', step: next }));
      return { step: next };
    }),
    'keep the grant': assign(({ event }) => (event.type === 'granted' ? { grant: event.grant } : {})),
    store: assign(({ context: { ports, step, grant }, self }) => {
      const next = step + 1;
      if (grant) take(self, next, ports.store(grant), () => ({ type: 'stored', step: next }));
      return { step: next, grant: undefined };
    }),
    'say that it is renewed': ({ context: { ports } }) => {
      ports.backoff.reset();
      ports.status({ state: 'renewed', notAfter: ports.newest().notAfter });
    },
    'tell the uplink': ({ context }) => context.ports.changed(),
    'forget the one before': ({ context, event }) => {
      if (event.type === 'line.live') context.ports.forgetPrevious(event.fingerprint);
    },
    'wait before the next attempt': ({ context, event, self }) => {
      const delayMs = context.ports.backoff.next();
      arm(context, self, delayMs, 'try to renew again');
      if (event.type === 'failed') {
        context.ports.status({ state: 'retrying', delayMs, error: event.error });
      }
    },
    rest: ({ context, event, self }) => {
      arm(context, self, restMs, 'ask again');
      if (event.type === 'failed') {
        context.ports.status({ state: 'resting', delayMs: restMs, error: event.error });
      }
    },
    'let go': ({ context, self }) => context.ports.deadlines.release(self),
  },
});
