import { assign, setup } from 'xstate';
import { callerLabel, permits, senderText } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { toAppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { pruningError } from '../errors.js';
import { nothingYet, type SweepProgress, type SweepRule } from '../sweeper.js';
import { type PruningEvent, pruningSenders } from './events.js';
import { isSameOrder, jobOf, type OrderedSweep, ruleOf } from './job.js';
import type { PruneJob, PruneOrder } from './view.js';

/** How often old dispatches are looked for, milliseconds. */
export const sweepMs = 3_600_000;

/** What pruning asks of the outside. */
export interface PruningPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** What the configuration says. */
  readonly rule: SweepRule;
  /** Goes once through what has ended, in small turns. `progress` counts with it. */
  sweep(rule: SweepRule, progress: SweepProgress, dryRun: boolean): Promise<void>;
  /** A sweep has ended that deleted so many. @param by who ordered it; undefined when nobody did */
  swept(pruned: number, by: string | undefined): void;
  failed(error: unknown): void;
}

/** What pruning knows. */
export interface PruningContext {
  readonly ports: PruningPorts;
  /** Counts the sweeps. */
  readonly run: number;
  /** Counts the orders. */
  readonly orders: number;
  readonly progress: SweepProgress;
  /** What is carried out, unless that is the sweep of every hour. */
  readonly current: OrderedSweep | undefined;
  /** What is carried out after that. */
  readonly next: OrderedSweep | undefined;
  /** How the last order ended. */
  readonly last: PruneJob | undefined;
}

type Self = object & {
  send(event: PruningEvent): void;
  getSnapshot(): { readonly status: string };
};

function isPermitted(event: PruningEvent): boolean {
  return event.type === 'prune' && permits(pruningSenders.prune, event.caller);
}

/** The order under way that wants the same. */
function joined({ current, next }: PruningContext, order: PruneOrder): PruneJob | undefined {
  if (current && isSameOrder(current.order, order)) return jobOf(current, 'running');
  return next && isSameOrder(next.order, order) ? jobOf(next, 'waiting') : undefined;
}

function ordered(
  { ports, orders }: PruningContext,
  event: Extract<PruningEvent, { type: 'prune' }>,
): OrderedSweep {
  const by = callerLabel(event.caller);
  const createdAt = ports.clock.now();
  return { number: orders + 1, order: event.order, by, createdAt, progress: nothingYet() };
}

/** Guards and actions of pruning, by name. The chart that uses them is in `machine.ts`. */
export const pruningSetup = setup({
  types: {
    context: {} as PruningContext,
    events: {} as PruningEvent,
    input: {} as { ports: PruningPorts },
    meta: {} as MachineMeta,
  },
  guards: {
    'may prune': ({ event }) => isPermitted(event),
    'wants what is under way': ({ context, event }) =>
      isPermitted(event) && event.type === 'prune' && joined(context, event.order) !== undefined,
    'may wait': ({ context, event }) =>
      isPermitted(event) && context.current === undefined && context.next === undefined,
    'is of this sweep': ({ context, event }) => 'run' in event && event.run === context.run,
    'is of this sweep, and another waits': ({ context, event }) =>
      'run' in event && event.run === context.run && context.next !== undefined,
  },
  actions: {
    'arm the first sweep': ({ context: { ports }, self }) =>
      ports.deadlines.sendAfter(self, 0, { type: 'deadline' }, { label: 'prune dispatches' }),
    'arm the next sweep': ({ context: { ports }, self }) =>
      ports.deadlines.sendAfter(self, sweepMs, { type: 'deadline' }, { label: 'prune dispatches' }),
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    'take the order': assign(({ context, event }) => {
      if (event.type !== 'prune') return {};
      const current = ordered(context, event);
      event.reply.resolve(jobOf(current, 'running'));
      return { current, orders: current.number };
    }),
    'have it wait': assign(({ context, event }) => {
      if (event.type !== 'prune') return {};
      const next = ordered(context, event);
      event.reply.resolve(jobOf(next, 'waiting'));
      return { next, orders: next.number };
    }),
    'take what waits': assign(({ context: { next } }) => ({ current: next, next: undefined })),
    sweep: assign(({ context, self }: { context: PruningContext; self: Self }) => {
      const { ports, current } = context;
      const run = context.run + 1;
      const progress = current?.progress ?? nothingYet();
      const rule = current ? ruleOf(current.order, ports.rule) : ports.rule;
      const tell = (event: PruningEvent): void => {
        if (self.getSnapshot().status === 'active') self.send(event);
      };
      ports.sweep(rule, progress, current?.order.dryRun === true).then(
        () => tell({ type: 'swept', run }),
        (error: unknown) => tell({ type: 'failed', run, error }),
      );
      return { run, progress };
    }),
    'note the end': assign(({ context: { ports, current, progress, last } }) => {
      ports.swept(progress.pruned, current?.by);
      const finishedAt = ports.clock.now();
      return { current: undefined, last: current ? jobOf(current, 'done', { finishedAt }) : last };
    }),
    'note the failure': assign(({ context: { ports, current, last }, event }) => {
      if (event.type !== 'failed') return {};
      ports.failed(event.error);
      const end = { finishedAt: ports.clock.now(), error: toAppError(event.error).toEnvelope() };
      return { current: undefined, last: current ? jobOf(current, 'failed', end) : last };
    }),
    'answer how it stands': ({ context: { current, next, last }, event }) => {
      if (event.type !== 'look') return;
      event.reply.resolve(next ? jobOf(next, 'waiting') : current ? jobOf(current, 'running') : last);
    },
    'answer with what is under way': ({ context, event }) => {
      const job = event.type === 'prune' ? joined(context, event.order) : undefined;
      if (event.type === 'prune' && job) event.reply.resolve(job);
    },
    'answer why not': ({ context: { current, next }, event }) => {
      if (event.type !== 'prune') return;
      const other = next ?? current;
      event.reply.reject(
        !isPermitted(event)
          ? pruningError('forbidden', `${callerLabel(event.caller)} may not delete dispatches`, {
              hint: `It takes ${senderText(pruningSenders.prune)}.`,
            })
          : pruningError('busy', `Dispatches are being deleted already, as ${other?.by} has ordered`, {
              hint: 'Wait for its end, or ask for the same to follow it.',
            }),
      );
    },
  },
});
