import { afterAll, describe, expect, it } from 'vitest';
import type { DeviceEvent } from '../../src/actors/device/events.js';
import { actionsIn, decideDevice, deviceMachine } from '../../src/actors/device/machine.js';
import { type DeviceRecord, type DeviceState, deviceStates } from '../../src/actors/device/record.js';
import type { BarringAction } from '../../src/actors/device/revocations.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { AppError } from '../../src/kernel/errors.js';
import { Coverage } from './coverage.js';
import { sampleDevice, sampleFacts, start } from './samples.js';

/*
 * The lifecycle is a table without timers and without waiting, so its paths are all sequences of states and events: each
 * state is met with each event by each caller, and what follows is held to a second table, written down here.
 */

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const approver = verifiedCaller({ kind: 'operator', name: 'bob', role: 'approver' });
const others = [
  verifiedCaller({ kind: 'operator', name: 'eve', role: 'invoker' }),
  verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: '' }),
  verifiedCaller({ kind: 'system', name: 'daemon' }),
];

const certificate = {
  fingerprint: 'new',
  issuer: 'ca',
  serial: '2',
  notBefore: start,
  notAfter: start + 86_400_000,
};
const kept = { ...certificate, fingerprint: 'old' };
const ended = { ...certificate, fingerprint: 'ended', notAfter: start - 1 };
const approval = { digest: 'd', capability: 'echo', approvedBy: 'operator:ada', approvedAt: start };
const enrolment = {
  name: 'lab-2',
  identityKey: 'key',
  labels: { team: 'infra' },
  facts: sampleFacts,
  certificate: { ...certificate, pem: 'PEM' },
  csrDigest: 'c',
  approvals: [approval],
};

type Operator = 'rename' | 'label' | 'rotate' | 'revoke' | 'remove' | 'ban' | 'lift';
const decisions = ['rename', 'label', 'rotate', 'revoke', 'remove', 'ban', 'lift'] as const;

function decision(type: Operator, caller = admin): DeviceEvent {
  const common = { caller, reason: 'because' };
  switch (type) {
    case 'rename':
      return { type, name: 'other', ...common };
    case 'label':
      return { type, set: { role: 'edge' }, remove: [], ...common };
    default:
      return { type, ...common };
  }
}

function recorded(action: BarringAction): DeviceEvent {
  return {
    type: 'recorded',
    bar: { deviceId: 'LABNODE', action, at: 1, by: 'operator:eve', reason: 'there' },
  };
}

type Outcome = DeviceState | 'conflict' | 'not found' | 'barred';

/** What becomes of a device, and nothing else does. */
const table: Readonly<Record<'unknown' | DeviceState, Readonly<Record<Operator | 'enrol', Outcome>>>> = {
  unknown: {
    enrol: 'trusted',
    rename: 'not found',
    label: 'not found',
    rotate: 'not found',
    revoke: 'not found',
    remove: 'not found',
    ban: 'banned',
    lift: 'not found',
  },
  trusted: {
    enrol: 'trusted',
    rename: 'trusted',
    label: 'trusted',
    rotate: 'trusted',
    revoke: 'revoked',
    remove: 'removed',
    ban: 'banned',
    lift: 'conflict',
  },
  revoked: {
    enrol: 'barred',
    rename: 'revoked',
    label: 'revoked',
    rotate: 'conflict',
    revoke: 'conflict',
    remove: 'removed',
    ban: 'banned',
    lift: 'trusted',
  },
  removed: {
    enrol: 'barred',
    rename: 'conflict',
    label: 'conflict',
    rotate: 'conflict',
    revoke: 'conflict',
    remove: 'conflict',
    ban: 'banned',
    lift: 'lifted',
  },
  banned: {
    enrol: 'barred',
    rename: 'conflict',
    label: 'conflict',
    rotate: 'conflict',
    revoke: 'conflict',
    remove: 'conflict',
    ban: 'conflict',
    lift: 'lifted',
  },
  lifted: {
    enrol: 'trusted',
    rename: 'conflict',
    label: 'conflict',
    rotate: 'conflict',
    revoke: 'conflict',
    remove: 'removed',
    ban: 'banned',
    lift: 'conflict',
  },
};

const codes = {
  conflict: 'device.not_possible',
  'not found': 'device.not_found',
  barred: 'pairing.device_barred',
} as const;

function standing(state: 'unknown' | DeviceState): DeviceRecord | undefined {
  if (state === 'unknown') return undefined;
  return sampleDevice({
    state,
    certificates: [ended, kept],
    approvals: [{ ...approval, approvedBy: 'operator:old' }],
    ticket: { confirmed: 't' },
    decisions: [{ action: 'revoke', by: 'operator:old', at: 0, reason: 'stolen' }],
  });
}

/** What came of an event: the next record, or the code of the error. */
function outcome(state: 'unknown' | DeviceState, event: DeviceEvent) {
  try {
    return decideDevice('LABNODE', standing(state), event, start);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}

const visited = new Set<string>();
const coverage = new Coverage(deviceMachine);
coverage.watchTable();
const all = ['unknown', ...deviceStates] as const;

describe.each(all)('a device that is %s', (state) => {
  it.each([...decisions, 'enrol'] as const)('%s', (type) => {
    const event: DeviceEvent = type === 'enrol' ? { type, caller: approver, enrolment } : decision(type);
    const expected = table[state][type];
    const made = outcome(state, event);
    if (expected === 'conflict' || expected === 'not found' || expected === 'barred') {
      expect(made).toMatchObject({ code: codes[expected], hint: expect.any(String) });
      return;
    }
    visited.add(expected);
    expect(made).toMatchObject({ id: 'LABNODE', state: expected, updatedAt: start });
    if (made instanceof AppError || type === 'enrol') return;
    expect(made.decisions.at(-1)).toEqual({ action: type, by: 'operator:ada', at: start, reason: 'because' });
  });

  it('is decided on by an admin and by nobody else', () => {
    for (const type of decisions) {
      for (const caller of [approver, ...others]) {
        expect(outcome(state, decision(type, caller))).toMatchObject({ code: 'device.forbidden' });
      }
    }
    for (const caller of others) {
      expect(outcome(state, { type: 'enrol', caller, enrolment })).toMatchObject({
        code: 'device.forbidden',
      });
    }
  });

  it('names what can be done with it', () => {
    if (state === 'unknown') return;
    const possible = decisions.filter((type) => table[state][type] !== 'conflict');
    expect(actionsIn(state)).toEqual(possible);
  });
});

describe('a device that its owner takes out', () => {
  const leaving = (caller = verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: 'old' })) =>
    ({ type: 'leave', caller, reason: 'sold' }) as const;

  it('is a tombstone when it is trusted, and else there is nothing to leave', () => {
    for (const state of all) {
      const made = outcome(state, leaving());
      if (state === 'unknown') expect(made).toMatchObject({ code: 'device.not_found' });
      else if (state !== 'trusted') expect(made).toMatchObject({ code: 'device.not_possible' });
      else {
        expect(made).toMatchObject({ state: 'removed', certificates: [], approvals: [] });
        if (made instanceof AppError) return;
        expect(made.decisions.at(-1)).toEqual({
          action: 'leave',
          by: 'device:LABNODE',
          at: start,
          reason: 'sold',
        });
        expect(actionsIn(made.state)).toEqual(['ban', 'lift']);
      }
    }
  });

  it('is taken out by itself and by nobody else', () => {
    const other = verifiedCaller({ kind: 'device', deviceId: 'OTHER', fingerprint: 'old' });
    const system = verifiedCaller({ kind: 'system', name: 'daemon' });
    for (const caller of [admin, other, system]) {
      expect(outcome('trusted', leaving(caller))).toMatchObject({
        code: 'device.forbidden',
        hint: 'It takes its device.',
      });
    }
  });
});

describe('the labels of a device', () => {
  const labelled = (labels: Record<string, string>, set: Record<string, string>, ...remove: string[]) => {
    const event: DeviceEvent = { type: 'label', caller: admin, reason: '', set, remove };
    return decideDevice('LABNODE', sampleDevice({ labels }), event, start).labels;
  };
  const many = (count: number, prefix = 'l') =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, '']));

  it('are set and removed by name; the others stay', () => {
    const after = labelled(
      { role: 'edge', site: 'oslo', team: 'infra' },
      { role: 'core', tier: '1' },
      'site',
    );
    expect(after).toEqual({ role: 'core', team: 'infra', tier: '1' });
  });

  it.each([
    ['nothing', {}, [], 'labels'],
    ['one that it has not', {}, ['rol'], 'remove'],
    ['what every object has', {}, ['toString'], 'remove'],
    ['two things of one', { role: 'core' }, ['role'], 'remove'],
    ['too many', many(32), [], 'labels'],
  ] as const)('are not changed by %s', (_what, set, remove, field) => {
    expect(() => labelled({ role: 'edge' }, set, ...remove)).toThrow(
      expect.objectContaining({ code: 'device.bad_labels', fields: [expect.objectContaining({ field })] }),
    );
  });

  it('are 32 at most, and can be taken away from one that has more', () => {
    expect(Object.keys(labelled(many(31), { role: 'edge' }))).toHaveLength(32);
    expect(Object.keys(labelled(many(40), {}, 'l0'))).toHaveLength(39);
    expect(Object.keys(labelled(many(40), { l1: 'other' }, 'l0'))).toHaveLength(39);
    expect(() => labelled(many(40), { role: 'edge' })).toThrow('41 labels');
  });
});

it('remembers an order to renew until it is fulfilled, and forgets it with the device', () => {
  const ordered = decideDevice('LABNODE', standing('trusted'), decision('rotate'), start);
  expect(ordered.rotation).toEqual({ by: 'operator:ada', at: start, reason: 'because' });
  const gone = decideDevice('LABNODE', { ...ordered, version: 2 }, decision('remove'), start);
  expect(gone.rotation).toBeUndefined();
});

describe('what is kept of a device', () => {
  it('that is revoked and lifted: all', () => {
    const before = standing('trusted');
    const revoked = decideDevice('LABNODE', before, decision('revoke'), start);
    const lifted = decideDevice('LABNODE', { ...revoked, version: 2 }, decision('lift'), start + 1);
    const { decisions: _some, updatedAt: _then, version: _one, ...rest } = before ?? sampleDevice();
    expect(lifted).toMatchObject(rest);
    expect(lifted.decisions.map(({ action }) => action)).toEqual(['revoke', 'revoke', 'lift']);
  });

  it.each(['remove', 'ban'] as const)('after %s: nothing that it could come back with', (type) => {
    const gone = decideDevice('LABNODE', standing('trusted'), decision(type), start);
    expect(gone).toMatchObject({
      name: 'lab',
      certificates: [],
      approvals: [],
      offered: [],
      ticket: {},
      labels: {},
    });
  });

  it('that is enrolled again: what is in force, and what was approved before', () => {
    const renewed = decideDevice(
      'LABNODE',
      standing('trusted'),
      { type: 'enrol', caller: approver, enrolment },
      start,
    );
    expect(renewed).toMatchObject({ name: 'lab-2', identityKey: 'key', ticket: { confirmed: 't' } });
    expect(renewed.certificates.map(({ fingerprint }) => fingerprint)).toEqual(['old', 'new']);
    expect(renewed.approvals).toEqual([approval]);
  });
});

describe('a bar that stands in the file alone', () => {
  const states = { revoke: 'revoked', remove: 'removed', ban: 'banned' } as const;

  it.each(['revoke', 'remove', 'ban'] as const)('%s bars a device that may come', (action) => {
    for (const state of ['trusted', 'lifted'] as const) {
      const made = outcome(state, recorded(action));
      expect(made).toMatchObject({ state: states[action] });
      if (made instanceof AppError) return;
      expect(made.decisions.at(-1)).toEqual({ action, by: 'operator:eve', at: 1, reason: 'there' });
    }
    expect(outcome('unknown', recorded(action))).toMatchObject({
      state: 'banned',
      name: '',
      identityKey: '',
    });
  });

  it('never weakens another', () => {
    for (const action of ['revoke', 'remove', 'ban'] as const) {
      for (const state of ['removed', 'banned'] as const) {
        expect(outcome(state, recorded(action))).toBeInstanceOf(AppError);
      }
    }
    expect(outcome('revoked', recorded('revoke'))).toBeInstanceOf(AppError);
    expect(outcome('revoked', recorded('remove'))).toMatchObject({ state: 'removed' });
    expect(outcome('revoked', recorded('ban'))).toMatchObject({ state: 'banned' });
  });
});

afterAll(() => {
  const named = Object.keys(deviceMachine.states).filter((state) => state !== 'unknown');
  expect([...visited].sort()).toEqual(named.sort());
  coverage.expectAll();
});
