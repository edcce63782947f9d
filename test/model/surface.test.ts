import { afterAll, describe, expect, it } from 'vitest';
import type { DeviceRecord, SurfaceApproval } from '../../src/actors/device/record.js';
import type { SurfaceEvent } from '../../src/actors/surface/events.js';
import { decideSurface, surfaceActionsIn, surfaceMachine } from '../../src/actors/surface/machine.js';
import {
  type Pin,
  type SurfaceState,
  surfaceStateOf,
  surfaceStates,
} from '../../src/actors/surface/state.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { AppError } from '../../src/kernel/errors.js';
import { Coverage } from './coverage.js';
import { sampleDevice, start } from './samples.js';

const approver = verifiedCaller({ kind: 'operator', name: 'ada', role: 'approver' });
const others = [
  verifiedCaller({ kind: 'operator', name: 'bob', role: 'invoker' }),
  verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: '' }),
  verifiedCaller({ kind: 'system', name: 'daemon' }),
];
const offer = (digest: string, capability = 'echo') => ({
  digest,
  capability,
  plugin: 'lab',
  pluginVersion: '1.0.0',
  buildDigest: `build of ${digest}`,
});
const now = offer('now');
const approval = (digest: string, at = start): SurfaceApproval => ({
  ...offer(digest),
  approvedBy: 'operator:eve',
  approvedAt: at,
});
const no = { capability: 'echo', by: 'operator:eve', at: start, reason: 'odd' };

const devices: Readonly<Record<SurfaceState, DeviceRecord>> = {
  pending: sampleDevice({ offered: [now], approvals: [approval('before')] }),
  approved: sampleDevice({ offered: [now], approvals: [approval('before'), approval('now')] }),
  rejected: sampleDevice({
    offered: [now],
    approvals: [approval('before')],
    refusals: [{ ...no, digest: 'now' }],
  }),
  revoked: sampleDevice({ offered: [now], refusals: [no] }),
};

const events: Readonly<Record<SurfaceEvent['type'], SurfaceEvent>> = {
  approve: { type: 'approve', caller: approver, reason: 'because' },
  reject: { type: 'reject', caller: approver, reason: 'because' },
  revoke: { type: 'revoke', caller: approver, reason: 'because' },
  follow: { type: 'follow', from: approval('before') },
};

const table: Readonly<Record<SurfaceState, Partial<Record<SurfaceEvent['type'], SurfaceState>>>> = {
  pending: { approve: 'approved', follow: 'approved', reject: 'rejected', revoke: 'revoked' },
  approved: { revoke: 'revoked' },
  rejected: { approve: 'approved', revoke: 'revoked' },
  revoked: { approve: 'approved' },
};

function decided(
  device: DeviceRecord,
  event: SurfaceEvent,
  pin: Pin = 'descriptor',
): DeviceRecord | AppError {
  try {
    return { ...device, ...decideSurface(device, now, event, { pin, now: start + 1 }) };
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}

const coverage = new Coverage(surfaceMachine);
coverage.watchTable();
afterAll(() => coverage.expectAll());

describe.each(surfaceStates)('a capability that is %s', (state) => {
  const device = devices[state];

  it.each(Object.keys(events) as SurfaceEvent['type'][])('%s', (type) => {
    expect(surfaceStateOf(device, now, 'descriptor')).toBe(state);
    const after = decided(device, events[type]);
    const expected = table[state][type];
    if (expected === undefined) {
      expect(after).toMatchObject({ code: 'surface.not_possible' });
      return;
    }
    if (after instanceof AppError) throw after;
    expect(surfaceStateOf(after, now, 'descriptor')).toBe(expected);
  });

  it('is decided on by an approver and by nobody else', () => {
    for (const type of ['approve', 'reject', 'revoke'] as const) {
      for (const caller of others) {
        expect(decided(device, { type, caller, reason: '' })).toMatchObject({ code: 'surface.forbidden' });
      }
    }
    expect(surfaceActionsIn(state)).toEqual(
      (['approve', 'reject', 'revoke'] as const).filter((action) => table[state][action] !== undefined),
    );
  });
});

it('names the approval by an operator that a grant follows from, also over several versions', () => {
  const first = decided(devices.pending, { type: 'follow', from: approval('before') });
  if (first instanceof AppError) throw first;
  const [, granted] = first.approvals;
  expect(granted).toMatchObject({
    digest: 'now',
    approvedBy: 'operator:eve',
    approvedAt: start + 1,
    follows: { digest: 'before', approvedBy: 'operator:eve', approvedAt: start },
  });
  const third = offer('third');
  const event = { type: 'follow', from: granted ?? approval('before') } as const;
  const { approvals } = decideSurface({ ...first, offered: [third] }, third, event, {
    pin: 'descriptor',
    now: start + 2,
  });
  expect(approvals.at(-1)?.follows?.digest).toBe('before');
});

it('stays revoked whatever version the node offers next, and whatever was approved before', () => {
  const device = decided(devices.approved, events.revoke);
  if (device instanceof AppError) throw device;
  expect(device.approvals).toEqual([]);
  for (const digest of ['now', 'before', 'narrower']) {
    expect(surfaceStateOf(device, offer(digest), 'descriptor')).toBe('revoked');
  }
  expect(surfaceStateOf(device, offer('now', 'other'), 'descriptor')).toBe('pending');
});

it('counts for the build that was approved, where builds are pinned', () => {
  const other = { ...now, buildDigest: 'another build' };
  expect(surfaceStateOf(devices.approved, now, 'build')).toBe('approved');
  expect(surfaceStateOf(devices.approved, other, 'build')).toBe('pending');
  expect(surfaceStateOf(devices.approved, other, 'descriptor')).toBe('approved');
  const approved = decideSurface(devices.approved, other, events.approve, { pin: 'build', now: start });
  expect(surfaceStateOf({ ...devices.approved, ...approved }, other, 'build')).toBe('approved');
});

it('keeps a bounded number of decisions, and never lets a revocation go', () => {
  let device = sampleDevice({ offered: [now], refusals: [no] });
  for (let at = 0; at < 300; at++) {
    const one = offer(`d${at}`, `capability_${at}`);
    const patch = decideSurface(device, one, events.reject, { pin: 'descriptor', now: start });
    device = { ...device, ...patch };
  }
  expect(device.refusals).toHaveLength(256);
  expect(surfaceStateOf(device, now, 'descriptor')).toBe('revoked');
  let fresh = sampleDevice({ offered: [now] });
  for (let at = 0; at < 20; at++) {
    const patch = decideSurface(fresh, offer(`d${at}`), events.approve, {
      pin: 'descriptor',
      now: start + at,
    });
    fresh = { ...fresh, ...patch };
  }
  expect(fresh.approvals.map(({ digest }) => digest)).toEqual(
    Array.from({ length: 8 }, (_, at) => `d${at + 12}`),
  );
});
