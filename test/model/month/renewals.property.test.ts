import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KeyPool } from '../../support/key-pool.js';
import { propertyRuns } from '../../support/property-runs.js';
import { Month } from './month.js';
import { day, hour, minute } from './month-daemon.js';
import { letFail } from './weather.js';

/*
 * Thirty days of a daemon and 20 nodes, with their real actors, CA, certificates and stores, over links in memory: whether a
 * certificate is in force is asked by our own code on each side's own clock, and these are up to ten minutes off. Processes
 * die, also between any two steps of a renewal, requests and answers are lost, lines break, clocks are set, some machines
 * sleep for days. A month counts as a hundred property runs. The seed decides what is drawn, but which of two threads ends
 * first it does not: a month does not happen twice in quite the same way, so a failure tells what the node did before.
 *
 * Only the making of RSA keys is left out: they come from a pool, and the CA's has 2048 bits, which sign in a third of the time.
 */
const seeds = Array.from(
  { length: Math.max(1, Math.round(propertyRuns(100) / 100)) },
  (_, index) => index + 1,
);
const nodes = 20;
const days = 30;

/** A renewal comes at two thirds of a life of 24 hours and 5 minutes, and up to a twentieth of it earlier. */
const latestCycle = 16 * hour;
const earliestCycle = 14.7 * hour;

let keys: KeyPool;
beforeAll(async () => {
  keys = await KeyPool.make(16);
  // A development build of XState takes the initial context of an actor that an action starts for an `assign` in it.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe('thirty days of renewals for twenty nodes', () => {
  it.each(seeds)(
    'lock nobody out, whatever dies or is lost when (seed %i)',
    { timeout: 180_000 },
    async (seed) => {
      const month = await Month.open(seed, nodes, keys);
      try {
        letFail(month, days * day);
        await month.run(days * day);
        // Whoever is away at the end comes back.
        const away = 60 * hour;
        for (let waited = 0; waited < away && month.machines.some(({ life }) => !life); waited += hour) {
          await month.run(hour);
        }
        await month.run(10 * minute);
        expect([...month.violations]).toEqual([]);
        const length = month.clock.monotonic();
        for (const machine of month.machines) {
          expect(month.isOnline(machine)).toBe(true);
          const { offMs, orders, sleeps } = machine;
          const renewals = machine.had.size - 1;
          expect(renewals).toBeGreaterThanOrEqual((length - offMs - month.daemonOffMs) / latestCycle - 2);
          expect(renewals).toBeLessThanOrEqual(length / earliestCycle + 1 + orders + sleeps);
          // Nobody comes back without a certificate but who slept through the end of it.
          expect(month.returnsOf(machine)).toBe(sleeps);
        }
        expect(month.serverCertificates.size).toBeGreaterThan((days * day) / (5 * day));
        const happened = [...month.tally.keys()];
        expect(happened).toEqual(expect.arrayContaining(faults));
      } finally {
        month.close();
      }
    },
  );
});

/** What must have happened for the month to show anything. */
const faults = [
  'a line broke',
  'the clock of a node was set',
  'an order to renew',
  'died before a key is changed',
  'died after a key is changed',
  'died before request.json is changed',
  'died after request.json is changed',
  'died before the request of RenewCertificate',
  'died at the answer of RenewCertificate',
  'died before membership.json is changed',
  'died after membership.json is changed',
  'lost: request of RenewCertificate',
  'lost: answer of RenewCertificate',
  'the daemon died when it had answered RenewCertificate',
];
