import { assign, setup } from 'xstate';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { nodeError } from '../errors.js';
import type { DispatchOrder, NodeResult } from '../link/frames.js';
import type { Asker } from '../mediation/mediations.js';
import { allowanceOf, type Permission } from '../mediation/permission.js';
import { type ExecutionEvent, eventOf, executionSenders } from './events.js';

/** What an execution asks of the node host. */
export interface ExecutionPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** The daemon's wall clock as this node estimates it, milliseconds since the epoch. */
  daemonNow(): number;
  /** Why this order may not run here, or undefined: unknown capability, another descriptor, input that does not fit, owner's rules. */
  refusal(order: DispatchOrder): { readonly reason: string; readonly error: AppError } | undefined;
  needsMediation(order: DispatchOrder): boolean;
  /** Asks the person at the node, unless an answer is remembered. Aborted when nobody needs the answer any more. */
  mediate(order: DispatchOrder, limitMs: number, signal: AbortSignal, asker: Asker): void;
  mediationChanged(order: DispatchOrder, waiting: boolean): void;
  /** Writes "started" to disk, then calls back. */
  journalStart(order: DispatchOrder, done: () => void): void;
  started(order: DispatchOrder): void;
  /** Runs the handler; settles in bounded time after `signal` aborts. The output is checked JSON. */
  run(
    order: DispatchOrder,
    signal: AbortSignal,
    deadline: number,
    permission: Permission | undefined,
  ): Promise<Uint8Array>;
  /** It has ended: keep the result until the daemon has it. */
  finished(order: DispatchOrder, result: NodeResult): void;
}

export interface ExecutionInput {
  readonly ports: ExecutionPorts;
  readonly order: DispatchOrder;
  /** Milliseconds that the order spent on its way. */
  readonly age: number;
}

type Ending = Pick<NodeResult, 'outcome' | 'reason' | 'output' | 'error'>;

interface ExecutionContext extends ExecutionInput {
  readonly abort: AbortController;
  readonly runStarted: number | undefined;
  /** Of the person at the node; undefined while there is none, or where none is needed. */
  readonly permission: Permission | undefined;
  readonly ending: Ending | undefined;
}

const nothing = new Uint8Array(0);
/** The code of a run whose process ended under it: see `Runner.run`. */
const processEnded = 'plugin.process_ended';
/** The codes of runs that ended before their handler could start: see `PluginHost.execute` and `Runner.run`. */
const beforeTheHandler: ReadonlySet<string> = new Set([
  'plugin.never_started',
  'plugin.deadline_exceeded',
  'plugin.not_allowed',
  'plugin.unknown_capability',
  'plugin.descriptor_changed',
  'plugin.input_invalid',
  'plugin.busy',
  'plugin.disabled',
  'plugin.load_failed',
  'plugin.load_timeout',
  'plugin.not_started',
  'plugin.stopped',
]);
/** The code of a run whose time was over before its handler could start: see `Runner.run`. */
const neverInTime = 'plugin.deadline_exceeded';
/** The code of a run that nobody has allowed, or that another build would do: see `PluginHost.execute`. */
const notAllowed = 'plugin.not_allowed';

function ended(outcome: NodeResult['outcome'], error: AppError, reason = ''): { ending: Ending } {
  return { ending: { outcome, reason, output: nothing, error: error.toEnvelope() } };
}

/** How a run that nobody stopped has failed. */
function failureOf(error: AppError, { repeatable }: DispatchOrder): { ending: Ending } {
  if (error.code === neverInTime) return ended('timed_out', error);
  if (error.code === notAllowed) return ended('rejected', error, 'node_policy');
  // A handler that fails says so; one whose process ended under it may have done its work before.
  if (error.code === processEnded && !repeatable) return ended('unknown', error, 'process_ended');
  return ended('failed', error);
}

/** What ends it while its handler certainly has not started. */
const endedBeforeItRan = {
  cancel: { target: 'finished', actions: 'end as cancelled', description: 'The daemon wants it no more' },
  'kernel.shutdown': { target: 'finished', actions: 'end as cancelled', description: 'The host stops' },
} as const;

/**
 * One dispatch on the node: checked, allowed by a person where the descriptor asks for it, journaled where it may not be
 * started twice, run, and its result kept. What ends it before the handler starts says so; from then on the handler is
 * told to stop and its end is awaited, so that the outcome is what really happened.
 */
export const executionMachine = setup({
  types: {
    context: {} as ExecutionContext,
    events: {} as ExecutionEvent,
    input: {} as ExecutionInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'is too late': ({ context: { ports, order, age } }) =>
      ports.daemonNow() >= order.latestEndMs || age >= order.timeoutMs,
    'is refused': ({ context }) => context.ports.refusal(context.order) !== undefined,
    'needs a person': ({ context }) => context.ports.needsMediation(context.order),
    'is for another': ({ context: { order }, event }) =>
      event.type !== 'allowed' ||
      event.permission.dispatchId !== order.dispatchId ||
      event.permission.descriptorDigest !== order.descriptorDigest,
    'is repeatable': ({ context }) => context.order.repeatable,
  },
  actions: {
    'end as too late': assign(() =>
      ended('timed_out', nodeError('deadline', 'It came when its time was over')),
    ),
    'end as refused': assign(({ context }) => {
      const refusal = context.ports.refusal(context.order);
      return refusal ? ended('rejected', refusal.error, refusal.reason) : {};
    }),
    'ask the person': ({ context, self }) => {
      const { ports, order, abort } = context;
      const limit = Math.min(order.mediationTimeoutMs, order.latestEndMs - ports.daemonNow());
      ports.mediate(order, Math.max(0, limit), abort.signal, {
        waits: () => self.send({ type: 'waits' }),
        decided: (verdict) => self.send(eventOf(verdict)),
      });
    },
    'say that it waits': ({ context }) => context.ports.mediationChanged(context.order, true),
    'take the question back': ({ context }) => context.abort.abort(),
    'take the permission': assign(({ event }) =>
      event.type === 'allowed' ? { permission: event.permission } : {},
    ),
    'say that it was answered': ({ context }) => context.ports.mediationChanged(context.order, false),
    'end as denied': assign(() =>
      ended(
        'rejected',
        nodeError('mediation_denied', 'The person at the node denied it'),
        'mediation_denied',
      ),
    ),
    'end as not asked': assign(({ event }) => {
      const why = event.type === 'nobody' ? event.reason : '';
      const message = `Nobody at the node could be asked: ${why}`;
      return ended('rejected', nodeError('mediation_denied', message), 'mediation_denied');
    }),
    'end as unanswered': assign(() =>
      ended(
        'rejected',
        nodeError('mediation_timeout', 'Nobody at the node answered in time'),
        'mediation_timeout',
      ),
    ),
    'end as cancelled': assign(({ event }) => {
      const reason = event.type === 'cancel' || event.type === 'kernel.shutdown' ? event.reason : '';
      return ended(
        'cancelled',
        nodeError('cancelled', `It was cancelled: ${reason || 'no reason given'}`),
        reason,
      );
    }),
    'end as timed out': assign(({ context }) =>
      ended(
        'timed_out',
        nodeError('deadline', `The handler did not end within ${context.order.timeoutMs} ms`),
      ),
    ),
    'journal the start': ({ context, self }) =>
      context.ports.journalStart(context.order, () => self.send({ type: 'journaled' })),
    run: ({ context, self }) => {
      const { ports, order, abort, permission } = context;
      // What a person took to decide is not of its time, but the latest end bounds both.
      const left = Math.max(
        0,
        Math.min(order.timeoutMs - context.age, order.latestEndMs - ports.daemonNow()),
      );
      ports.deadlines.sendAfter(self, left, { type: 'deadline' }, { label: 'handler' });
      ports.run(order, abort.signal, ports.clock.now() + left, permission).then(
        (output) => self.send({ type: 'succeeded', output }),
        (error: unknown) => self.send({ type: 'failed', error: toAppError(error) }),
      );
      ports.started(order);
    },
    'note the start': assign(({ context }) => ({
      runStarted: context.ports.clock.monotonic(),
      abort: context.abort.signal.aborted ? new AbortController() : context.abort,
    })),
    'stop the handler': ({ context }) => context.abort.abort(),
    'take the output': assign(({ event }) =>
      event.type === 'succeeded'
        ? { ending: { outcome: 'succeeded' as const, reason: '', output: event.output } }
        : {},
    ),
    'take the failure': assign(({ context, event }) =>
      event.type === 'failed' ? failureOf(event.error, context.order) : {},
    ),
    'note whether it started': assign(({ event }) =>
      event.type === 'failed' && beforeTheHandler.has(event.error.code) ? { runStarted: undefined } : {},
    ),
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    finish: ({ context }) => {
      const { ports, order, runStarted, ending, permission } = context;
      if (!ending) return;
      ports.finished(order, {
        ...ending,
        dispatchId: order.dispatchId,
        durationMs: runStarted === undefined ? 0 : ports.clock.monotonic() - runStarted,
        started: runStarted !== undefined,
        ...(permission === undefined ? {} : { allowed: allowanceOf(permission) }),
      });
    },
  },
}).createMachine({
  id: 'execution',
  meta: { senders: executionSenders },
  context: ({ input }) => ({
    ...input,
    abort: new AbortController(),
    runStarted: undefined,
    permission: undefined,
    ending: undefined,
  }),
  initial: 'checking',
  states: {
    checking: {
      description: 'Whether it may run here',
      always: [
        { guard: 'is too late', target: 'finished', actions: 'end as too late' },
        { guard: 'is refused', target: 'finished', actions: 'end as refused' },
        { guard: 'needs a person', target: 'mediating' },
        { guard: 'is repeatable', target: 'running' },
        { target: 'starting' },
      ],
    },
    mediating: {
      description: 'The person at the node is asked, unless they have allowed the same for a while',
      entry: 'ask the person',
      exit: 'take the question back',
      on: {
        waits: {
          actions: 'say that it waits',
          description: 'No answer is remembered: it waits for a person',
        },
        allowed: [
          {
            guard: 'is for another',
            target: 'finished',
            actions: 'end as denied',
            description: 'What was allowed is another call: this one was not',
          },
          {
            guard: 'is too late',
            target: 'finished',
            actions: 'end as too late',
            description: 'It is allowed, and may not start any more',
          },
          {
            guard: 'is repeatable',
            target: 'running',
            actions: ['take the permission', 'say that it was answered'],
            description: 'It is allowed',
          },
          {
            target: 'starting',
            actions: ['take the permission', 'say that it was answered'],
            description: 'It is allowed',
          },
        ],
        denied: { target: 'finished', actions: 'end as denied', description: 'The person denies it' },
        nobody: { target: 'finished', actions: 'end as not asked', description: 'Nobody could be asked' },
        unanswered: {
          target: 'finished',
          actions: 'end as unanswered',
          description: 'Nobody answered: that is a denial',
        },
        ...endedBeforeItRan,
      },
    },
    // What may not be started twice is on disk as started before its handler runs (protocol.md 19).
    starting: {
      description: 'That it starts is being written to disk',
      entry: 'journal the start',
      on: {
        ...endedBeforeItRan,
        journaled: { target: 'running', description: 'It is on disk: the handler may start' },
      },
    },
    running: {
      description: 'The handler runs',
      entry: ['note the start', 'run'],
      on: {
        succeeded: { target: 'finished', actions: 'take the output', description: 'The handler ended well' },
        failed: {
          target: 'finished',
          actions: ['take the failure', 'note whether it started'],
          description: 'The handler failed, or could not be started',
        },
        cancel: {
          target: 'stopping',
          actions: 'end as cancelled',
          description: 'The daemon wants it no more: the handler is told',
        },
        'kernel.shutdown': {
          target: 'stopping',
          actions: 'end as cancelled',
          description: 'The host stops: the handler is told',
        },
        deadline: {
          target: 'stopping',
          actions: 'end as timed out',
          description: 'Its time is over: the handler is told',
        },
      },
    },
    // The handler was told to stop. If it succeeds all the same, that is what happened.
    stopping: {
      description: 'The handler was told to stop, and its end is awaited',
      entry: ['disarm', 'stop the handler'],
      on: {
        succeeded: {
          target: 'finished',
          actions: 'take the output',
          description: 'It succeeded all the same',
        },
        failed: {
          target: 'finished',
          actions: 'note whether it started',
          description: 'It has stopped, or its turn never came',
        },
      },
    },
    finished: {
      type: 'final',
      entry: ['disarm', 'finish'],
      description: 'The result goes to the daemon, and is kept until that has it on its disk',
    },
  },
});
