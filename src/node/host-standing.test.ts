import { describe, expect, it } from 'vitest';
import type { ErrorEnvelope } from '../kernel/errors.js';
import { standingAfter, startingStanding } from './host-standing.js';
import type { NodeReport } from './reporter.js';

const error: ErrorEnvelope = {
  code: 'link.unreachable',
  message: 'No',
  category: 'unavailable',
  retryable: true,
};
const connecting: NodeReport = { event: 'connecting', address: 'a:7444', attempt: 1 };
const capabilities = [{ capability: 'echo', status: 'accepted' }];
const connected: NodeReport = { event: 'connected', name: 'lab', epoch: 3, capabilities };

/** The standing after those reports, one a second. */
const told = (...reports: readonly NodeReport[]) =>
  reports.reduce((before, report, at) => standingAfter(before, report, at * 1_000), startingStanding(0));

describe('the standing of a host', () => {
  it.each([
    ['starting', []],
    ['pairing', [{ event: 'pending_approval', deviceId: 'D', pairingId: 'p', fingerprintWords: ['a'] }]],
    ['connecting', [connecting]],
    ['connected', [connecting, connected]],
    ['waiting', [connecting, { event: 'disconnected', retryInMs: 500, error }]],
    ['refused', [connecting, { event: 'refused', retryInMs: 3_600_000, error }]],
    ['expired', [connecting, { event: 'certificate_ended' }, { event: 'returning' }]],
    ['expired', [{ event: 'certificate_ended' }, { event: 'retrying', what: 'asking', retryInMs: 1, error }]],
    // A daemon that is not reached at all: the certificate is doubted, and is not the matter.
    [
      'waiting',
      [
        connecting,
        { event: 'disconnected', retryInMs: 500, error },
        { event: 'returning' },
        { event: 'retrying', what: 'asking', retryInMs: 1, error },
      ],
    ],
    ['stopping', [connecting, connected, { event: 'stopped', reason: 'SIGTERM' }]],
  ] as [string, NodeReport[]][])('is %s', (state, reports) => {
    expect(told(...reports).state).toBe(state);
  });

  it('knows where it is connected, since when, and what may run', () => {
    expect(told(connecting, connected)).toEqual({
      state: 'connected',
      since: 1_000,
      address: 'a:7444',
      name: 'lab',
      epoch: 3,
      capabilities,
    });
  });

  it('stays connected while its line moves to a new certificate, or another renews', () => {
    const moving = told(connecting, connected, { event: 'renewed', certificateEndsAt: '' }, connecting);
    expect(moving).toMatchObject({ state: 'connected', since: 1_000, epoch: 3 });
    expect(standingAfter(moving, { ...connected, epoch: 4 }, 9_000)).toMatchObject({
      epoch: 4,
      since: 1_000,
    });
  });

  it('says when it tries again and why, and still does while it tries', () => {
    const waiting = told(connecting, connected, { event: 'disconnected', retryInMs: 500, error });
    expect(waiting).toMatchObject({ state: 'waiting', since: 2_000, retryAt: 2_500, error, name: 'lab' });
    expect(waiting.epoch).toBeUndefined();
    const again = standingAfter(waiting, connecting, 3_000);
    expect(again).toMatchObject({ state: 'connecting', error });
    expect(standingAfter(again, connected, 4_000).error).toBeUndefined();
  });
});
