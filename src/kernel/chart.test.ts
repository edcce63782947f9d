import { describe, expect, it } from 'vitest';
import {
  type AnyStateMachine,
  and,
  assign,
  createMachine,
  fromPromise,
  not,
  or,
  setup,
  stateIn,
} from 'xstate';
import { parseMermaid } from '../../test/support/mermaid.js';
import type { Senders, VerifiedCaller } from './authority.js';
import { type ChartState, chartOf } from './chart.js';
import { mermaidOf } from './chart-mermaid.js';
import type { MachineMeta } from './machine-meta.js';

type DoorEvent = { type: 'push'; caller: VerifiedCaller } | { type: 'knock' } | { type: 'close' };

const senders = {
  push: { role: 'admin' },
  knock: { from: 'anybody' },
  close: { from: 'its spring' },
} as const satisfies Senders<DoorEvent>;

const door = setup({
  types: { events: {} as DoorEvent, meta: {} as MachineMeta },
  actors: { look: fromPromise(async () => 1) },
  guards: { 'is locked': () => false, 'is late': () => true },
  actions: { 'wind the spring': () => {}, complain: () => {} },
}).createMachine({
  id: 'door',
  meta: { senders },
  initial: 'closed',
  on: { close: { target: '.closed', description: 'It falls shut' }, knock: { actions: 'complain' } },
  states: {
    closed: {
      description: 'It is shut',
      always: { guard: and(['is late', or([not('is locked'), stateIn('open')])]), target: 'gone' },
      on: {
        push: [
          { guard: 'is locked', actions: 'complain', meta: { refuses: true } },
          { guard: 'is late', target: 'gone', description: 'Too late' },
          { target: 'open', actions: 'wind the spring' },
        ],
        knock: { target: 'closed' },
      },
    },
    open: {
      entry: ['wind the spring', assign({})],
      exit: () => {},
      invoke: { src: 'look', onDone: 'closed', onError: { guard: () => true, target: 'gone' } },
      after: { 5000: 'closed' },
    },
    gone: { type: 'final' },
  },
});

function stateOf(key: string): ChartState | undefined {
  return chartOf(door).root.states.find((state) => state.key === key);
}

const transition = { guard: undefined, targets: [], actions: [], description: undefined, refuses: false };

describe('chartOf', () => {
  it('reads states in their order, with what they mean and who sends the events', () => {
    const { id, root, senders: said } = chartOf(door);
    expect([id, root.initial, root.states.map(({ key, kind }) => [key, kind])]).toEqual([
      'door',
      'door.closed',
      [
        ['closed', 'atomic'],
        ['open', 'atomic'],
        ['gone', 'final'],
      ],
    ]);
    expect(stateOf('closed')?.description).toBe('It is shut');
    expect([...said]).toEqual([
      ['push', 'an operator with the role admin'],
      ['knock', 'anybody'],
      ['close', 'its spring'],
    ]);
  });

  it('names guards and what is left when all were asked in vain', () => {
    expect(stateOf('closed')?.transitions).toEqual([
      {
        ...transition,
        event: undefined,
        guard: 'is late and (not is locked or in open)',
        targets: ['door.gone'],
      },
      { ...transition, event: 'push', guard: 'is locked', actions: ['complain'], refuses: true },
      { ...transition, event: 'push', guard: 'is late', targets: ['door.gone'], description: 'Too late' },
      { ...transition, event: 'push', guard: 'else', targets: ['door.open'], actions: ['wind the spring'] },
      // XState does not leave the state for it.
      { ...transition, event: 'knock' },
    ]);
  });

  it('names delays and the ends of invoked actors, and leaves the timers behind them out', () => {
    const open = stateOf('open');
    expect(open?.invokes).toEqual(['look']);
    expect(open?.entry).toEqual(['wind the spring', 'assign']);
    expect(open?.exit).toEqual(['an action']);
    expect(open?.transitions).toEqual([
      { ...transition, event: 'look done', targets: ['door.closed'] },
      { ...transition, event: 'look failed', guard: 'a condition', targets: ['door.gone'] },
      { ...transition, event: 'after 5000 ms', targets: ['door.closed'] },
    ]);
  });

  it('has the transitions of the machine itself', () => {
    expect(chartOf(door).root.transitions).toEqual([
      { ...transition, event: 'close', targets: ['door.closed'], description: 'It falls shut' },
      { ...transition, event: 'knock', actions: ['complain'] },
    ]);
  });
});

describe('mermaidOf', () => {
  it('draws events and guards on arrows, and what happens within a state in its box', () => {
    expect(mermaidOf(chartOf(door)).replaceAll('\u00a0', ' ')).toBe(`stateDiagram-v2
  [*] --> closed
  state "any state" as any_state
  any_state : knock / complain
  state "closed" as closed
  closed : ignores knock
  closed : refuses push [is locked]
  state "open" as open
  open : entry / wind the spring, assign
  open : exit / an action
  open : invoke / look
  gone
  any_state --> closed : close
  open --> closed : look done<br/>after 5000 ms
  closed --> open : push [else]
  closed --> gone : [is late and (not is locked or in open)]<br/>push [is late]
  open --> gone : look failed [a condition]
  gone --> [*]
`);
  });

  it('keeps a transition on one line', () => {
    expect(mermaidOf(chartOf(door))).toContain('closed --> open : push\u00a0[else]');
  });

  it('is understood by Mermaid whatever states, events, guards and actions are called', async () => {
    const odd = [
      'a "b"; c: d',
      '<b>&amp;</b>',
      '%%{init}%%',
      'x --> y',
      '#35;',
      'note',
      'end',
      '{',
      'Zürich',
    ];
    const machine: AnyStateMachine = createMachine({
      id: 'odd',
      initial: odd[0] ?? '',
      states: Object.fromEntries(
        odd.map((name, index) => [
          name,
          {
            id: `s${index}`,
            entry: name,
            on: { [name]: { guard: name, target: `#s${(index + 1) % odd.length}` } },
          },
        ]),
      ),
    });
    const { states, arrows } = await parseMermaid(mermaidOf(chartOf(machine)));
    expect(states.map(({ label, lines }) => [label, ...lines])).toEqual(
      expect.arrayContaining(odd.map((name) => [name, `entry / ${name}`])),
    );
    expect(arrows.map(({ label }) => label)).toEqual(
      expect.arrayContaining(odd.map((name) => `${name} [${name}]`)),
    );
  });

  it('draws nested and parallel states, and inside them what holds in each inner state', async () => {
    const player = setup({}).createMachine({
      id: 'player',
      initial: 'idle',
      states: {
        idle: { on: { play: 'playing', both: 'dual' } },
        playing: {
          initial: 'idle',
          on: { seek: '.idle', stop: 'idle', noise: { actions: () => {} } },
          onDone: 'dual',
          states: { idle: { on: { fail: '#player.off', end: 'over' } }, over: { type: 'final' } },
        },
        dual: { type: 'parallel', states: { left: {}, right: {} }, on: { resume: 'back' } },
        back: { type: 'history', target: 'playing' },
        off: { type: 'final' },
      },
    });
    const text = mermaidOf(chartOf(player));
    const { states, arrows } = await parseMermaid(text);
    expect(states.map(({ id, label }) => [id, label])).toEqual(
      expect.arrayContaining([
        ['playing', 'playing'],
        ['s1', 'idle'],
        ['any_playing', 'any state of playing'],
        ['back', 'back (history)'],
        ['left', 'left'],
      ]),
    );
    expect(arrows.map(({ from, to, label }) => `${from} ${to} ${label}`)).toEqual(
      expect.arrayContaining([
        'idle playing play',
        'playing_start s1 ',
        'any_playing s1 seek',
        'playing idle stop',
        'playing dual done',
        's1 off fail',
        'dual back resume',
      ]),
    );
    expect(text).toContain('any_playing : noise / an action');
  });
});
