import { pluginProcessSetup } from './behaviour.js';
import { pluginProcessSenders } from './events.js';

const stopsAtOnce = {
  target: 'stopped',
  description: 'The plugin is stopped, and has no process',
} as const;
const exits = {
  guard: 'is of this process',
  target: 'killing',
  actions: ['note the reason', 'count the failure'],
  description: 'It has ended by itself',
} as const;
const isCondemned = {
  guard: 'is of this process',
  target: 'killing',
  actions: ['note the reason', 'count the failure'],
  description: 'It broke a rule: it is ended',
} as const;
const loadsTooLong = {
  target: 'killing',
  actions: ['note the reason', 'count the failure'],
  description: 'Its code was not loaded in time',
} as const;
const stopsBeforeItRuns = {
  target: 'ending',
  actions: 'is to stop',
  description: 'The plugin is stopped',
} as const;
const grows = {
  guard: 'takes too much memory',
  target: 'killing',
  actions: ['note the memory', 'count the failure'],
  description: 'It takes more memory than it may',
} as const;
const hangs = {
  guard: 'is hung',
  target: 'killing',
  actions: ['note that it hung', 'count the failure'],
  description: 'It has not answered for too long',
} as const;
const isFine = {
  actions: 'look at it',
  description: 'It is looked at again',
} as const;
const drains = [
  {
    guard: 'has nothing under way',
    target: 'ending',
    actions: 'is to stop',
    description: 'The plugin is stopped, and nothing runs',
  },
  {
    target: 'draining',
    actions: ['is to stop', 'note when to give up'],
    description: 'The plugin is stopped: what runs may end',
  },
] as const;
const willStop = {
  actions: 'is to stop',
  description: 'The plugin is stopped: no other process follows',
} as const;
const isGone = [
  { guard: 'is to stop', target: 'stopped', actions: 'bury', description: 'The plugin was stopped' },
  {
    guard: 'has failed too often',
    target: 'disabled',
    actions: 'bury',
    description: 'It has failed too often in a short time',
  },
  {
    guard: 'is of this process',
    target: 'backoff',
    actions: 'bury',
    description: 'What ran in it has failed; another process may follow',
  },
] as const;

/**
 * The process that one build of a plugin runs in: started when it is first needed, journaled before it hears a word, looked
 * at while it runs, and started again after a while when it fails. Who fails too often is disabled, with the reason. When a
 * process ends, everything that it had started is ended with it before anything else happens.
 */
export const pluginProcessMachine = pluginProcessSetup.createMachine({
  id: 'plugin-process',
  meta: { senders: pluginProcessSenders },
  context: ({ input }) => ({
    ports: input.ports,
    run: 0,
    samples: 0,
    loadedAt: undefined,
    error: undefined,
    isStopping: false,
    failedTooOften: false,
    drainUntil: Number.POSITIVE_INFINITY,
  }),
  initial: 'idle',
  states: {
    idle: {
      description: 'There is no process, and nobody needs one',
      entry: 'disarm',
      on: {
        wanted: { target: 'starting', description: 'A run waits for it' },
        drain: stopsAtOnce,
        'kernel.shutdown': stopsAtOnce,
      },
    },
    starting: {
      description: 'The process is started, and which one it is goes to disk',
      entry: 'launch',
      on: {
        journaled: {
          guard: 'is of this process',
          target: 'handshaking',
          actions: 'greet',
          description: 'A host that dies from here on finds it again: it may hear what to load',
        },
        exited: exits,
        condemned: isCondemned,
        deadline: loadsTooLong,
        drain: stopsBeforeItRuns,
        'kernel.shutdown': stopsBeforeItRuns,
      },
    },
    handshaking: {
      description: 'The process loads the code of the plugin',
      on: {
        loaded: {
          guard: 'is of this process',
          target: 'ready',
          description: 'It is the code that was announced',
        },
        refused: {
          guard: 'is of this process',
          target: 'killing',
          actions: ['note the reason', 'count the failure'],
          description: 'The code can not be loaded, or is another than was announced',
        },
        exited: exits,
        condemned: isCondemned,
        deadline: loadsTooLong,
        drain: stopsBeforeItRuns,
        'kernel.shutdown': stopsBeforeItRuns,
      },
    },
    ready: {
      description: 'It runs what it is asked to',
      entry: ['open for runs', 'look at it'],
      exit: 'close for runs',
      on: {
        deadline: [grows, hangs, isFine],
        condemned: isCondemned,
        exited: exits,
        drain: drains,
        'kernel.shutdown': drains,
      },
    },
    draining: {
      description: 'It gets no more runs; those under way may end',
      entry: 'look at it',
      on: {
        idle: { target: 'ending', description: 'The last run has ended' },
        deadline: [
          {
            guard: 'has drained long enough',
            target: 'killing',
            description: 'What still runs has had its time',
          },
          grows,
          hangs,
          isFine,
        ],
        condemned: isCondemned,
        exited: exits,
      },
    },
    // It does nothing that is worth waiting for.
    ending: {
      description: 'The plugin is stopped: its process was asked to end',
      entry: 'ask it to end',
      on: {
        gone: {
          guard: 'is of this process',
          target: 'stopped',
          actions: 'bury',
          description: 'It has ended',
        },
        deadline: { target: 'killing', description: 'It did not end in time' },
      },
    },
    killing: {
      description: 'It is over: what is left of it, and of all that it has started, is being ended',
      entry: 'kill',
      on: { gone: isGone, drain: willStop, 'kernel.shutdown': willStop },
    },
    backoff: {
      description: 'It has failed, and waits before it may start again',
      entry: 'wait before the next start',
      on: {
        deadline: [
          { guard: 'is wanted', target: 'starting', description: 'A run waits for it' },
          { target: 'idle', description: 'Nobody needs it now' },
        ],
        drain: stopsAtOnce,
        'kernel.shutdown': stopsAtOnce,
      },
    },
    disabled: {
      description: 'It has failed too often: a new build or an order to reload makes a new member',
      entry: ['disarm', 'refuse runs'],
      on: { drain: stopsAtOnce, 'kernel.shutdown': stopsAtOnce },
    },
    stopped: {
      type: 'final',
      description: 'The plugin was stopped; nothing of it is left',
      entry: 'say that it stopped',
    },
  },
});
