import { expect, it } from 'vitest';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { decidedKeptMs, keepPruned } from './retention.js';

const day = 86_400_000;

it('prunes at once and once a day, by the age of the end, and goes on after a failure', async () => {
  const clock = new SimulatedClock(1_000 * day);
  const lines: string[] = [];
  const line = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const log = { debug: line, info: line, warn: line, error: line };
  const asked: number[] = [];
  const prune = async (endedBefore: number): Promise<number> => {
    asked.push(endedBefore);
    if (asked.length === 2) throw new Error('busy');
    return asked.length;
  };
  keepPruned({ clock, deadlines: new Deadlines(clock, log), log, pruned: { pairing: { prune } } });
  await clock.advanceAsync(0);
  for (let count = 0; count < 2; count++) await clock.advanceAsync(day);
  expect(asked).toEqual([0, 1, 2].map((days) => 1_000 * day + days * day - decidedKeptMs));
  expect(lines).toEqual([
    'Deleted records that ended more than 90 days ago',
    'Old records could not be deleted',
    'Deleted records that ended more than 90 days ago',
  ]);
});
