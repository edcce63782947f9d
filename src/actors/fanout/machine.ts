import { fanoutSetup } from './behaviour.js';
import { fanoutSenders } from './events.js';

/** What is noted of a target whenever it comes. */
const news = {
  started: { actions: ['note the start', 'changed'], description: 'A target has its dispatch' },
  ended: { actions: ['note the end', 'changed'], description: 'A target has ended, or could not be started' },
} as const;

const cancelled = {
  guard: 'may cancel',
  target: 'cancelling',
  actions: 'note the wish',
  description: 'No more are started, and those under way are cancelled',
} as const;

const over = {
  guard: 'all have ended',
  target: 'ending',
  description: 'There is no target left to wait for',
} as const;

/**
 * The life of one fan-out: it has dispatches made for its targets, some at a time, until all have ended, until too many have
 * failed, or until somebody cancels it. Each dispatch is an ordinary one with a key that is made of the fan-out and the target, so
 * a fan-out that starts again from its record, whose last changes may not be on disk, finds those that it has made and starts no
 * target twice.
 *
 * Flat and without invocations, so that it can be compiled to a table.
 */
export const fanoutMachine = fanoutSetup.createMachine({
  id: 'fanout',
  meta: { senders: fanoutSenders },
  context: ({ input }) => ({ ...input, chosen: [] }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Goes where the record says',
      always: [{ guard: 'was just made', target: 'running' }, { target: 'recalling' }],
    },
    recalling: {
      description: 'It finds out which targets have a dispatch, and what became of those',
      entry: 'recall',
      on: {
        ...news,
        cancel: {
          guard: 'may cancel',
          actions: ['note the wish', 'changed'],
          description: 'It is cancelled as soon as it knows what there is to cancel',
        },
        recalled: [
          {
            guard: 'was cancelled',
            target: 'cancelling',
            actions: 'note what is known',
            description: 'It goes on to cancel those under way',
          },
          {
            guard: 'was stopped',
            target: 'stopping',
            actions: 'note what is known',
            description: 'It goes on to wait for those under way',
          },
          { target: 'running', actions: ['note what is known', 'changed'], description: 'It goes on' },
        ],
      },
    },
    running: {
      description: 'Targets are started, no more at a time than may be under way',
      on: { ...news, cancel: cancelled },
      always: [
        over,
        {
          guard: 'too many have failed',
          target: 'stopping',
          actions: 'note that it stops',
          description: 'Too many have failed: no more are started',
        },
        {
          guard: 'more may start',
          actions: ['choose the next', 'changed', 'start them'],
          description: 'There is room for the next targets',
        },
      ],
    },
    stopping: {
      description: 'Those under way end by themselves; no more are started',
      entry: ['leave the rest', 'changed'],
      on: { ...news, cancel: cancelled },
      always: over,
    },
    cancelling: {
      description: 'Those under way are told to end, and how they end is awaited',
      entry: ['leave the rest', 'changed', 'cancel those under way'],
      on: {
        ...news,
        started: {
          actions: ['cancel it', 'note the start', 'changed'],
          description: 'A target whose dispatch was just being made has it, and that is cancelled',
        },
      },
      always: over,
    },
    ending: {
      description: 'How it ended is written down',
      entry: 'write the end',
      always: { target: 'ended' },
    },
    ended: { type: 'final', entry: 'ended', description: 'All targets have ended, or will not be started' },
  },
});
