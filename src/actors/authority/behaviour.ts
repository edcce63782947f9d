import { assign, setup } from 'xstate';
import { callerLabel, permits, senderText } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { authorityError } from '../errors.js';
import { untilNextLook } from '../identity/validity.js';
import { type AuthorityEvent, type AuthorityReply, authoritySenders } from './events.js';
import { type AuthorityRecord, closed, rotated, without } from './record.js';

/** What the daemon's CAs ask of the outside. */
export interface AuthorityPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** How long both CAs are trusted when the daemon rotates by itself, milliseconds. */
  readonly overlapMs: number;
  /** When the CA that issues is so old that the next one is made without anybody's word, milliseconds since the epoch. */
  rotationDue(): number;
  /**
   * Makes a CA that is none of these, or takes one that was made and not used. Resolves with its fingerprint when key and
   * certificate are on disk, and the daemon has a certificate of it.
   */
  make(known: readonly string[]): Promise<string>;
  commit(next: AuthorityRecord, cause: Cause): Promise<AuthorityRecord>;
  /** Does as the record says from now on: what is trusted, what issues, what is served. */
  apply(record: AuthorityRecord): void;
  /** Deletes a CA. Resolves when it is not on the disk any more. */
  remove(fingerprint: string): Promise<void>;
  /** Whether every trusted device uses a certificate of that CA, and so knows it. */
  isKnownToAll(fingerprint: string): boolean;
  /** What nobody waits for has failed and is tried again. */
  failed(error: unknown): void;
}

export interface AuthorityInput {
  readonly ports: AuthorityPorts;
  readonly record: AuthorityRecord;
}

/** What is to be done, and who waits for it. */
interface Intent {
  readonly next?: AuthorityRecord;
  /** The CA that is to be deleted with it. */
  readonly forgets?: string;
  readonly overlapMs: number;
  readonly reason: string;
  readonly by: string;
  readonly cause: Cause;
  readonly reply: AuthorityReply | undefined;
}

/** What the actor of the CAs knows. */
export interface AuthorityContext extends AuthorityInput {
  readonly step: number;
  readonly intent: Intent | undefined;
}

/** After a failure that nobody waits for, milliseconds. */
const retryMs = 60_000;

type Self = object & {
  send(event: AuthorityEvent): void;
  getSnapshot(): { readonly status: string };
};

function take<T>(self: Self, step: number, work: Promise<T>, done: (result: T) => AuthorityEvent): void {
  const tell = (event: AuthorityEvent): void => {
    if (self.getSnapshot().status === 'active') self.send(event);
  };
  work.then(
    (result) => tell(done(result)),
    (error: unknown) => tell({ type: 'failed', step, error }),
  );
}

/** Why a caller may not do what it asks for, or can't; undefined when it may. */
function refusal(record: AuthorityRecord, event: AuthorityEvent): AppError | undefined {
  if (event.type !== 'rotate' && event.type !== 'forget') return undefined;
  if (!permits(authoritySenders[event.type], event.caller)) {
    return authorityError('forbidden', `${callerLabel(event.caller)} may not ${event.type} a CA`, {
      hint: `It takes ${senderText(authoritySenders[event.type])}.`,
    });
  }
  if (event.type === 'rotate') return undefined;
  const ca = record.cas.find(({ fingerprint }) => fingerprint === event.fingerprint);
  if (!ca) {
    return authorityError('not_found', `There is no CA ${event.fingerprint}`, {
      hint: 'See which there are: `palyra ca show`.',
    });
  }
  if (ca.state === 'retired') return undefined;
  return authorityError('in_use', `CA ${event.fingerprint} is ${ca.state}`, {
    hint: 'Only one that is retired can be forgotten.',
  });
}

function answer(event: AuthorityEvent, error: AppError): void {
  if ('reply' in event) event.reply.reject(error);
}

/** Guards and actions of the daemon's CAs, by name. The chart that uses them is in `machine.ts`. */
export const authoritySetup = setup({
  types: {
    context: {} as AuthorityContext,
    events: {} as AuthorityEvent,
    input: {} as AuthorityInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'is in overlap': ({ context }) => context.record.state === 'overlap',
    'may do so': ({ context, event }) => refusal(context.record, event) === undefined,
    'is due': ({ context: { ports } }) => ports.clock.now() >= ports.rotationDue(),
    'is over': ({ context: { ports, record } }) => {
      const issuing = record.cas.find(({ state }) => state === 'issuing');
      if (ports.clock.now() >= (record.rotation?.endsAt ?? 0)) return true;
      return issuing !== undefined && ports.isKnownToAll(issuing.fingerprint);
    },
    'is of this step': ({ context, event }) => 'step' in event && event.step === context.step,
    'somebody waits': ({ context, event }) =>
      event.type === 'failed' && event.step === context.step && context.intent?.reply !== undefined,
  },
  actions: {
    'look again later': ({ context: { ports, record }, self }) => {
      const at = record.rotation?.endsAt ?? ports.rotationDue();
      ports.deadlines.release(self);
      const delayMs = untilNextLook(at, ports.clock.now());
      ports.deadlines.sendAfter(self, delayMs, { type: 'deadline' }, { label: 'look at the rotation' });
    },
    'intend to rotate': assign(({ context: { ports }, event }) => {
      if (event.type !== 'rotate') {
        const cause = { event: 'rotate', by: 'system:daemon', note: 'it is old' };
        return {
          intent: {
            overlapMs: ports.overlapMs,
            reason: 'it is old',
            by: 'system:daemon',
            cause,
            reply: undefined,
          },
        };
      }
      const { overlapMs, reason, caller, reply } = event;
      const cause = causeOf(event, '', reason);
      return { intent: { overlapMs, reason, by: callerLabel(caller), cause, reply } };
    }),
    make: assign(({ context: { ports, record, step }, self }) => {
      const next = step + 1;
      ports.deadlines.release(self);
      const known = record.cas.map((ca) => ca.fingerprint);
      take(self, next, ports.make(known), (fingerprint) => ({ type: 'made', step: next, fingerprint }));
      return { step: next };
    }),
    'intend the overlap': assign(({ context: { ports, record, intent }, event }) => {
      if (event.type !== 'made' || !intent) return {};
      const { by, reason, overlapMs } = intent;
      const startedAt = ports.clock.now();
      const rotation = { by, reason, startedAt, endsAt: startedAt + overlapMs };
      return { intent: { ...intent, next: rotated(record, event.fingerprint, rotation) } };
    }),
    'intend the end of the overlap': assign(({ context: { ports, record } }) => {
      const cause = { event: 'close', by: 'system:daemon' };
      const next = closed(record, ports.clock.now());
      return { intent: { next, overlapMs: 0, reason: '', by: cause.by, cause, reply: undefined } };
    }),
    'intend to forget': assign(({ context: { ports, record }, event }) => {
      if (event.type !== 'forget') return {};
      const { caller, reason, reply } = event;
      const cause = causeOf(event, '', reason);
      const next = without(record, event.fingerprint, ports.clock.now());
      const forgets = event.fingerprint;
      return { intent: { next, forgets, overlapMs: 0, reason, by: callerLabel(caller), cause, reply } };
    }),
    save: assign(({ context: { ports, step, intent }, self }) => {
      const next = step + 1;
      ports.deadlines.release(self);
      if (intent?.next) {
        const { next: record, cause, forgets } = intent;
        // Gone from the disk first: what is there and not in the record would be trusted when the daemon starts.
        const removed = forgets === undefined ? Promise.resolve() : ports.remove(forgets);
        const saving = removed.then(() => ports.commit(record, cause));
        take(self, next, saving, (saved) => ({ type: 'saved', step: next, record: saved }));
      }
      return { step: next };
    }),
    'do as it says': assign(({ context: { ports, intent }, event }) => {
      if (event.type !== 'saved') return {};
      ports.apply(event.record);
      intent?.reply?.resolve(event.record);
      return { record: event.record, intent: undefined };
    }),
    'answer that it failed': assign(({ context: { intent }, event }) => {
      if (event.type === 'failed') intent?.reply?.reject(toAppError(event.error));
      return { intent: undefined };
    }),
    'wait before the next attempt': assign(({ context: { ports }, event, self }) => {
      if (event.type === 'failed') ports.failed(event.error);
      ports.deadlines.release(self);
      ports.deadlines.sendAfter(self, retryMs, { type: 'deadline' }, { label: 'try again' });
      return { intent: undefined };
    }),
    'answer why it may not': ({ context, event }) => {
      const error = refusal(context.record, event);
      if (error) answer(event, error);
    },
    'answer that a rotation is under way': ({ context, event }) => {
      const error =
        refusal(context.record, event) ??
        authorityError('rotating', 'A rotation is under way', {
          hint: 'See how far it is with `palyra ca show`; the next one can begin when it is over.',
        });
      answer(event, error);
    },
    'answer that it is busy': ({ event }) =>
      answer(
        event,
        authorityError('busy', 'The CAs are being changed at this moment', { hint: 'Try again.' }),
      ),
  },
});
