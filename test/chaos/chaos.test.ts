import { expect, it } from 'vitest';
import { runChaos } from './run.js';

/*
 * The short form of `npm run chaos`: see CONTRIBUTING.md. PALYRA_CHAOS_SEED repeats the plan of a run, though not its moments.
 */

const seed = Number(process.env.PALYRA_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));

it('keeps every promise while daemon, node and line are killed and cut under load', async () => {
  const report = await runChaos({
    seed,
    requests: 200,
    kills: 6,
    clients: 12,
    quietMs: 300,
    limitMs: 280_000,
  });
  console.log(`seed       ${seed}\n${report.tally}`);
  expect(report.violations, `seed ${seed}\n${report.explanations.join('\n')}`).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(6);
  expect(report.cuts).toBeGreaterThan(0);
  expect(report.history.dispatches.length).toBeGreaterThanOrEqual(160);
}, 300_000);
