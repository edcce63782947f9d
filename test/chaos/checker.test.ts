import { describe, expect, it } from 'vitest';
import type { Dispatch } from '../../src/client/index.js';
import { check, type Rule, rules } from './checker.js';
import type { ClientRequest, History } from './history.js';

/*
 * The crash test is worth what its checker is worth: of a history that is true it says nothing, and of one that is not, for each
 * rule, it says which rule and which dispatch.
 */

function dispatch(id: string, token: string, changes: Partial<Dispatch> = {}): Dispatch {
  return {
    id,
    version: 1,
    state: 'succeeded',
    deviceId: 'LABNODE',
    capability: 'once_inline.run',
    descriptorDigest: '',
    input: { token, ms: 0, heeds: true },
    caller: 'operator:admin',
    labels: {},
    repeatable: false,
    idempotencyKey: `key-${token}`,
    timeoutMs: 1_000,
    mediationTimeoutMs: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:01.000Z',
    deliverBy: '2026-01-01T00:00:05.000Z',
    latestEnd: '2026-01-01T00:00:09.000Z',
    sentInEpoch: 1,
    finishedAt: '2026-01-01T00:00:01.000Z',
    outcome: { state: 'succeeded', started: true },
    steps: [],
    ...changes,
  };
}

function request(token: string, id: string, changes: Partial<ClientRequest> = {}): ClientRequest {
  return {
    token,
    kind: 'once',
    capability: 'once_inline.run',
    key: `key-${token}`,
    attempts: 1,
    answers: [{ id, state: 'succeeded' }],
    wantedCancelled: false,
    ...changes,
  };
}

const keyless = { kind: 'waited', capability: 'again_inline.run' } as const;

/** One that may not be repeated, one that may, one cancelled before it came, and one that was lost with its caller. */
function truth(): { -readonly [Part in keyof History]: History[Part] } {
  const cancelled = { state: 'cancelled', outcome: { state: 'cancelled', started: false } } as const;
  const { key: _none, ...lost } = request('t4', '', {
    ...keyless,
    answers: [],
    gaveUp: 'The answer was lost',
  });
  const { key: _key, ...again } = request('t2', 'dp_2', keyless);
  const { idempotencyKey: _unused, ...second } = dispatch('dp_2', 't2', { repeatable: true });
  return {
    requests: [
      request('t1', 'dp_1'),
      again,
      request('t3', 'dp_3', { answers: [{ id: 'dp_3', state: 'queued' }], wantedCancelled: true }),
      lost,
    ],
    counts: {
      starts: new Map([
        ['t1', 1],
        ['t2', 2],
        ['t4', 1],
      ]),
      ends: new Map([
        ['t1', 1],
        ['t2', 1],
      ]),
    },
    dispatches: [dispatch('dp_1', 't1'), second, dispatch('dp_3', 't3', cancelled)],
    stored: [
      { id: 'dp_1', state: 'succeeded' },
      { id: 'dp_2', state: 'succeeded' },
      { id: 'dp_3', state: 'cancelled' },
    ],
    keys: ['dp_1', 'dp_3'],
    atNode: [],
  };
}

/** The history with its first dispatch, or another, changed. */
function changed(changes: Partial<Dispatch>, index = 0): History {
  const history = truth();
  const dispatches = history.dispatches.map((one, at) => (at === index ? { ...one, ...changes } : one));
  const stored = dispatches.map(({ id, state }) => ({ id, state }));
  return { ...history, dispatches, stored };
}

function counted(token: string, starts: number, ends: number): History {
  const history = truth();
  return {
    ...history,
    counts: {
      starts: new Map([...history.counts.starts, [token, starts]]),
      ends: new Map([...history.counts.ends, [token, ends]]),
    },
  };
}

const doctored: readonly (readonly [what: string, rule: Rule, id: string, history: History])[] = [
  [
    'an accepted dispatch that is gone',
    'lost',
    'dp_3',
    (() => {
      const history = truth();
      history.dispatches = history.dispatches.slice(0, 2);
      history.stored = history.stored.slice(0, 2);
      history.keys = ['dp_1'];
      return history;
    })(),
  ],
  [
    'work that may not be repeated, ran, and has no record',
    'lost',
    't5',
    (() => {
      const history = counted('t5', 1, 1);
      return {
        ...history,
        requests: [...history.requests, request('t5', 'dp_5', { answers: [], gaveUp: '' })],
      };
    })(),
  ],
  ['a dispatch that still runs', 'unfinished', 'dp_1', changed({ state: 'running' })],
  [
    'something left at the node',
    'unfinished',
    'dp_9',
    { ...truth(), atNode: [{ dispatchId: 'dp_9', where: 'its memory' }] },
  ],
  [
    'a client without an answer',
    'unfinished',
    't9',
    { ...truth(), requests: [...truth().requests, request('t9', '', { answers: [] })] },
  ],
  ['an end without an outcome', 'disagreement', 'dp_1', withoutOutcome()],
  [
    'an outcome of another end',
    'disagreement',
    'dp_1',
    changed({ outcome: { state: 'timed_out', started: true } }),
  ],
  [
    'a file that says something else',
    'disagreement',
    'dp_2',
    {
      ...truth(),
      stored: truth().stored.map((row) => (row.id === 'dp_2' ? { ...row, state: 'failed' } : row)),
    },
  ],
  [
    'a row that the API does not tell',
    'disagreement',
    'dp_8',
    { ...truth(), stored: [...truth().stored, { id: 'dp_8', state: 'succeeded' }] },
  ],
  [
    'an end that changed after a caller was told',
    'changed',
    'dp_1',
    changed({ state: 'outcome_unknown', outcome: { state: 'outcome_unknown', reason: 'lost' } }),
  ],
  ['a handler started twice for one dispatch', 'twice', 'dp_1', counted('t1', 2, 1)],
  [
    'a handler started twice without a record',
    'twice',
    't6',
    (() => {
      const history = counted('t6', 2, 1);
      return { ...history, requests: [...history.requests, request('t6', '', { gaveUp: '' })] };
    })(),
  ],
  [
    'two answers for one key',
    'key',
    't1',
    {
      ...truth(),
      requests: [
        request('t1', 'dp_1', {
          answers: [
            { id: 'dp_1', state: 'succeeded' },
            { id: 'dp_2', state: 'succeeded' },
          ],
        }),
        ...truth().requests.slice(1),
      ],
    },
  ],
  ['two dispatches of one key', 'key', 'key-t1', changed({ idempotencyKey: 'key-t1' }, 2)],
  ['a dispatch whose key is not in the file', 'key', 'dp_3', { ...truth(), keys: ['dp_1'] }],
  ['a key whose dispatch is gone', 'key', 'dp_7', { ...truth(), keys: [...truth().keys, 'dp_7'] }],
  ['a success that never ran', 'did not run', 'dp_1', counted('t1', 0, 0)],
  ['a success that was never done', 'did not run', 'dp_1', counted('t1', 1, 0)],
  [
    'a resolution that says success of what never ran',
    'did not run',
    'dp_3',
    changed(
      {
        state: 'outcome_unknown',
        outcome: { state: 'outcome_unknown' },
        resolution: { state: 'succeeded', started: true },
      },
      2,
    ),
  ],
  [
    'one cancelled after it started, which never did',
    'did not run',
    'dp_3',
    changed({ state: 'cancelled', outcome: { state: 'cancelled', started: true } }, 2),
  ],
  ['one cancelled before it started, which ran', 'ran all the same', 'dp_3', counted('t3', 1, 0)],
  [
    'one that expired and ran',
    'ran all the same',
    'dp_1',
    changed({ state: 'expired', outcome: { state: 'expired' } }),
  ],
  [
    'one that expired before its time',
    'no reason',
    'dp_3',
    changed({ state: 'expired', outcome: { state: 'expired', started: false } }, 2),
  ],
  [
    'one that may be repeated, never ran and is unknown for no reason',
    'no reason',
    'dp_2',
    (() => {
      const { requests, keys, atNode } = truth();
      const unknown = changed({ state: 'outcome_unknown', outcome: { state: 'outcome_unknown' } }, 1);
      const starts = new Map([['t1', 1]]);
      return { ...unknown, requests, keys, atNode, counts: { starts, ends: starts } };
    })(),
  ],
  [
    'one cancelled by nobody',
    'invented',
    'dp_2',
    changed({ state: 'cancelled', outcome: { state: 'cancelled', started: true } }, 1),
  ],
  [
    'one that failed although no handler fails',
    'invented',
    'dp_1',
    changed({ state: 'failed', outcome: { state: 'failed', started: true } }),
  ],
  ['a handler that ran for nobody', 'invented', 't7', counted('t7', 1, 1)],
];

function withoutOutcome(): History {
  const { outcome: _outcome, ...rest } = dispatch('dp_1', 't1');
  const history = truth();
  return { ...history, dispatches: [rest, ...history.dispatches.slice(1)] };
}

describe('the checker of the crash test', () => {
  it('says nothing of a history that is true', () => {
    expect(check(truth())).toEqual([]);
  });

  it.each(doctored)('finds %s', (_what, rule, id, history) => {
    expect(check(history)).toContainEqual(expect.objectContaining({ rule, id }));
  });

  it('is tried with every rule', () => {
    expect(new Set(doctored.map(([, rule]) => rule))).toEqual(new Set(Object.keys(rules)));
  });
});
