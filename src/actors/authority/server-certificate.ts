import { setup } from 'xstate';
import type { Senders } from '../../kernel/authority.js';
import type { Backoff } from '../../kernel/backoff.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { untilNextLook } from '../identity/validity.js';

export type ServerCertificateEvent =
  | { type: 'deadline' }
  | { type: 'issued' }
  | { type: 'failed'; error: unknown };

/** Who sends each of them. */
export const serverCertificateSenders = {
  deadline: { from: 'its deadline' },
  issued: { from: 'the certificate authority' },
  failed: { from: 'the certificate authority' },
} as const satisfies Senders<ServerCertificateEvent>;

/** What the renewal of the daemon's own certificate asks of the outside. */
export interface ServerCertificatePorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** When the certificate in use is due for renewal, milliseconds since the epoch. */
  renewalDue(): number;
  /** Issues the next one, writes it to disk and serves it to new connections. */
  renew(): Promise<void>;
  /** It failed and is tried again after `retryInMs`; the old one stays in use. */
  failed(error: unknown, retryInMs: number): void;
}

interface ServerCertificateContext {
  readonly ports: ServerCertificatePorts;
}

/**
 * Keeps the daemon's own certificates, one of each of its CAs, in force while it runs. Open connections stay as they are: only
 * new ones see the new certificate. There is a third of its life for as many attempts as it takes.
 */
export const serverCertificateMachine = setup({
  types: {
    context: {} as ServerCertificateContext,
    events: {} as ServerCertificateEvent,
    input: {} as ServerCertificateContext,
    meta: {} as MachineMeta,
  },
  guards: {
    'is due': ({ context: { ports } }) => ports.clock.now() >= ports.renewalDue(),
  },
  actions: {
    'look again later': ({ context: { ports }, self }) => {
      const delayMs = untilNextLook(ports.renewalDue(), ports.clock.now());
      ports.deadlines.release(self);
      ports.deadlines.sendAfter(
        self,
        delayMs,
        { type: 'deadline' },
        { label: 'renew the server certificate' },
      );
    },
    renew: ({ context: { ports }, self }) => {
      ports.renew().then(
        () => self.send({ type: 'issued' }),
        (error: unknown) => self.send({ type: 'failed', error }),
      );
    },
    'count from zero': ({ context: { ports } }) => ports.backoff.reset(),
    'wait before the next attempt': ({ context: { ports }, event, self }) => {
      const delayMs = ports.backoff.next();
      ports.deadlines.release(self);
      ports.deadlines.sendAfter(self, delayMs, { type: 'deadline' }, { label: 'try to renew again' });
      if (event.type === 'failed') ports.failed(event.error, delayMs);
    },
  },
}).createMachine({
  id: 'server-certificate',
  meta: { senders: serverCertificateSenders },
  context: ({ input }) => input,
  initial: 'serving',
  states: {
    serving: {
      description: 'The certificate in use is good; the wall clock is looked at once a minute',
      entry: 'look again later',
      on: {
        deadline: [
          { guard: 'is due', target: 'renewing', description: 'Two thirds of its life are over' },
          { actions: 'look again later', description: 'It is not due yet' },
        ],
      },
    },
    renewing: {
      description: 'The next one is being issued and written to disk',
      entry: 'renew',
      on: {
        issued: { target: 'serving', actions: 'count from zero', description: 'New connections see it' },
        failed: { target: 'retrying', description: 'It is tried again; the old one stays in use' },
      },
    },
    retrying: {
      description: 'It waits before the next attempt',
      entry: 'wait before the next attempt',
      on: {
        deadline: { target: 'renewing', description: 'The next attempt' },
      },
    },
  },
});
