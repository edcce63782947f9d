import { expect, it } from 'vitest';
import { heartbeatInterval, type LiveSession, presenceOf } from './presence.js';

const session: LiveSession = {
  deviceId: 'A',
  fingerprint: 'f',
  instance: '',
  epoch: 1,
  heartbeatMs: 10_000,
  since: 0,
  seenAt: 0,
  seenMonotonic: 1_000,
};

it('is late after two missed heartbeats and offline after four, or without a session', () => {
  expect(presenceOf(undefined, 0)).toBe('offline');
  expect(presenceOf(session, 20_999)).toBe('online');
  expect(presenceOf(session, 21_000)).toBe('late');
  expect(presenceOf(session, 40_999)).toBe('late');
  expect(presenceOf(session, 41_000)).toBe('offline');
});

it('stretches heartbeats with the fleet so that there are at most 200 a second, up to the limit', () => {
  expect(heartbeatInterval(10_000, 60_000, 0)).toBe(10_000);
  expect(heartbeatInterval(10_000, 60_000, 2_000)).toBe(10_000);
  for (const fleet of [2_001, 5_000, 12_000]) {
    expect(fleet / (heartbeatInterval(10_000, 60_000, fleet) / 1_000)).toBeLessThanOrEqual(200);
  }
  expect(heartbeatInterval(10_000, 60_000, 100_000)).toBe(60_000);
  expect(heartbeatInterval(90_000, 60_000, 0)).toBe(90_000);
});
