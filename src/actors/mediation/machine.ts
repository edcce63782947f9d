import { assign, setup } from 'xstate';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { type MediationEvent, mediationSenders } from './events.js';
import { type Allowance, permission, type Verdict } from './permission.js';
import type { MediationAnswer, Subject } from './question.js';

/** What one question asks of the node host. */
export interface MediationPorts {
  readonly deadlines: Deadlines;
  /** Looks for an answer that is remembered and holds; calls back with when it ends. */
  recall(done: (until: number | undefined) => void): void;
  /** Stands in line; calls back when it may be shown, or with why it never will be. */
  standInLine(turn: () => void, refused: (reason: string) => void): void;
  leaveLine(): void;
  /** It waits for a person from now on. */
  waits(): void;
  /** Shows the question. */
  show(answer: (answer: MediationAnswer) => void): void;
  takeBack(): void;
  /** Writes a yes to disk; calls back with when it ends, or with undefined when it could not be kept. */
  keep(forMs: number, done: (until: number | undefined) => void): void;
  /** What came of it. */
  decided(verdict: Verdict): void;
  withdrawn(): void;
}

export interface MediationInput {
  readonly ports: MediationPorts;
  readonly subject: Subject;
  /** How long there is to answer, milliseconds: the limit of the order, and no longer than it may run at all. */
  readonly limitMs: number;
}

interface MediationContext extends MediationInput {
  readonly hasTurn: boolean;
  readonly rememberMs: number;
  readonly allowed: Allowance | undefined;
  readonly reason: string;
}

/** What ends a question that nobody has answered. */
const over = {
  deadline: { target: 'unanswered', description: 'Nobody answered in time: that is a denial' },
  withdraw: { target: 'withdrawn', description: 'Nobody needs the answer any more' },
  'kernel.shutdown': { target: 'withdrawn', description: 'The host stops' },
} as const;

/**
 * One question whether one call may run: answered by what the person has allowed before and is remembered, or by the person,
 * who is asked when it is its turn. It has a limit of its own, which runs while it stands in line too: silence is a denial.
 * Only `allowed` makes a permission, and only a yes of the person or a remembered one leads there.
 */
export const mediationMachine = setup({
  types: {
    context: {} as MediationContext,
    events: {} as MediationEvent,
    input: {} as MediationInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'an answer holds': ({ event }) => event.type === 'recalled' && event.until !== undefined,
    'it has its turn': ({ context }) => context.hasTurn,
    'it is to be remembered': ({ context, event }) =>
      event.type === 'allow' && timeToRemember(context.subject, event.rememberMs) > 0,
  },
  actions: {
    'arm the limit': ({ context, self }) =>
      context.ports.deadlines.sendAfter(self, context.limitMs, { type: 'deadline' }, { label: 'mediation' }),
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    'look for an answer': ({ context, self }) =>
      context.ports.recall((until) => self.send({ type: 'recalled', until })),
    'note the remembered answer': assign(({ event }) =>
      event.type === 'recalled' && event.until !== undefined
        ? { allowed: { by: 'remembered' as const, until: event.until } }
        : {},
    ),
    'stand in line': ({ context, self }) => {
      context.ports.waits();
      context.ports.standInLine(
        () => self.send({ type: 'turn' }),
        (reason) => self.send({ type: 'nobody', reason }),
      );
    },
    'note the turn': assign({ hasTurn: true }),
    'show the question': ({ context, self }) => context.ports.show((answer) => self.send(eventOf(answer))),
    'take it back': ({ context }) => context.ports.takeBack(),
    'note the yes': assign({ allowed: { by: 'person' as const } }),
    'note how long': assign(({ context, event }) =>
      event.type === 'allow' ? { rememberMs: timeToRemember(context.subject, event.rememberMs) } : {},
    ),
    'keep the answer': ({ context, self }) =>
      context.ports.keep(context.rememberMs, (until) => self.send({ type: 'kept', until })),
    'note what was kept': assign(({ event }) =>
      event.type === 'kept' && event.until !== undefined
        ? { allowed: { by: 'person' as const, until: event.until } }
        : {},
    ),
    'note why': assign(({ event }) => (event.type === 'nobody' ? { reason: event.reason } : {})),
    'leave the line': ({ context }) => context.ports.leaveLine(),
    'allow it': ({ context: { allowed, subject, ports } }) => {
      // Every way into this state notes by what it is allowed.
      if (allowed === undefined) return;
      const { dispatchId, descriptorDigest, build } = subject;
      const facts = { ...allowed, dispatchId, descriptorDigest, build };
      ports.decided({ kind: 'allowed', permission: permission(facts) });
    },
    'deny it': ({ context }) => context.ports.decided({ kind: 'denied' }),
    'say that nobody is there': ({ context }) =>
      context.ports.decided({ kind: 'nobody', reason: context.reason }),
    'say that nobody answered': ({ context }) => context.ports.decided({ kind: 'unanswered' }),
    'say that it was taken back': ({ context }) => context.ports.withdrawn(),
  },
}).createMachine({
  id: 'mediation',
  meta: { senders: mediationSenders },
  context: ({ input }) => ({
    ...input,
    hasTurn: false,
    rememberMs: 0,
    allowed: undefined,
    reason: '',
  }),
  entry: 'arm the limit',
  initial: 'recalling',
  states: {
    // Again when its turn has come: what was asked before it may have been allowed for a while.
    recalling: {
      description: 'Whether the person has allowed the same before, for a time that is not over',
      entry: 'look for an answer',
      on: {
        recalled: [
          {
            guard: 'an answer holds',
            target: 'allowed',
            actions: 'note the remembered answer',
            description: 'It is allowed by an answer that is remembered',
          },
          { guard: 'it has its turn', target: 'asking', description: 'There is none: the person is asked' },
          { target: 'waiting', description: 'There is none: it stands in line' },
        ],
        ...over,
      },
    },
    waiting: {
      description: 'It waits until it can be shown, in the order in which questions came',
      entry: 'stand in line',
      on: {
        turn: { target: 'recalling', actions: 'note the turn', description: 'Its turn has come' },
        nobody: { target: 'nobody', actions: 'note why', description: 'Too many wait' },
        ...over,
      },
    },
    asking: {
      description: 'The person at the node sees the question',
      entry: 'show the question',
      exit: 'take it back',
      on: {
        allow: [
          {
            guard: 'it is to be remembered',
            target: 'keeping',
            actions: ['note the yes', 'note how long'],
            description: 'The person allows it, and the same for a while',
          },
          { target: 'allowed', actions: 'note the yes', description: 'The person allows it, this once' },
        ],
        deny: { target: 'denied', description: 'The person denies it' },
        nobody: { target: 'nobody', actions: 'note why', description: 'There is nobody to be asked' },
        ...over,
      },
    },
    // It was answered in time, so the limit does not count any more.
    keeping: {
      description: 'The yes is being written to disk, with how long it holds',
      entry: ['disarm', 'keep the answer', 'leave the line'],
      on: {
        kept: { target: 'allowed', actions: 'note what was kept', description: 'It is on disk' },
        withdraw: over.withdraw,
        'kernel.shutdown': over['kernel.shutdown'],
      },
    },
    allowed: {
      type: 'final',
      entry: ['disarm', 'leave the line', 'allow it'],
      description: 'It may run',
    },
    denied: {
      type: 'final',
      entry: ['disarm', 'leave the line', 'deny it'],
      description: 'It may not run',
    },
    nobody: {
      type: 'final',
      entry: ['disarm', 'leave the line', 'say that nobody is there'],
      description: 'Nobody could be asked, so it may not run',
    },
    unanswered: {
      type: 'final',
      entry: ['disarm', 'leave the line', 'say that nobody answered'],
      description: 'Nobody answered in time, so it may not run',
    },
    withdrawn: {
      type: 'final',
      entry: ['disarm', 'leave the line', 'say that it was taken back'],
      description: 'Nobody needs the answer any more',
    },
  },
});

function eventOf(answer: MediationAnswer): MediationEvent {
  if (answer.answer === 'allow') return { type: 'allow', rememberMs: answer.rememberMs };
  return answer.answer === 'deny' ? { type: 'deny' } : { type: 'nobody', reason: answer.reason };
}

/** How long a yes counts for the same: as long as the person says, and no longer than the capability lets it. */
function timeToRemember({ remember }: Subject, rememberMs = 0): number {
  if (remember === undefined || !Number.isSafeInteger(rememberMs)) return 0;
  return Math.min(rememberMs, remember.mostMs);
}
