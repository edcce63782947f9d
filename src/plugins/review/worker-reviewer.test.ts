import { afterEach, expect, it } from 'vitest';
import { sampleDescriptor, silent } from '../../../test/model/samples.js';
import { systemClock } from '../../kernel/clock.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { WorkerReviewer } from './worker-reviewer.js';

const reviewers: WorkerReviewer[] = [];
afterEach(() => Promise.all(reviewers.splice(0).map((reviewer) => reviewer.close())));

function reviewer(limitMs?: number): WorkerReviewer {
  const made = new WorkerReviewer(new Deadlines(systemClock, silent), limitMs);
  reviewers.push(made);
  return made;
}

/** Compiles for many seconds: each pattern is unrolled a thousand times. */
const slow = sampleDescriptor({
  input: {
    type: 'object',
    patternProperties: Object.fromEntries(
      Array.from({ length: 2_000 }, (_, at) => [`^(a{1000}|b{1000})${at}`, true]),
    ),
  },
});

it('tells the difference, and that the schemas compile', async () => {
  const review = await reviewer().review({
    before: sampleDescriptor(),
    after: sampleDescriptor({ timeout: '1h' }),
  });
  expect(review).toEqual({
    difference: {
      verdict: 'wider',
      changes: [{ pointer: '/timeout', kind: 'wider', sentence: 'timeout: raised from 30s to 1h' }],
    },
  });
});

it('refuses schemas that do not compile, with the place', async () => {
  const { refusal } = await reviewer().review({
    after: sampleDescriptor({
      output: { type: 'object', properties: { a: { $ref: 'https://example.com' } } },
    }),
  });
  expect(refusal).toMatchObject({
    code: 'plugin.schema_reference',
    fields: [{ field: '/output/properties/a/$ref' }],
  });
});

it('ends a review that takes too long, goes on with the next, and never blocks this thread', async () => {
  const one = reviewer(1_000);
  const before = performance.now();
  const blocked = { most: 0, at: performance.now() };
  const timer = setInterval(() => {
    blocked.most = Math.max(blocked.most, performance.now() - blocked.at);
    blocked.at = performance.now();
  }, 5);
  const [hostile, good] = await Promise.all([
    one.review({ after: slow }),
    one.review({ after: sampleDescriptor() }),
  ]);
  clearInterval(timer);
  expect(hostile.refusal?.code).toBe('plugin.schema_too_costly');
  expect(good).toEqual({});
  expect(performance.now() - before).toBeGreaterThan(990);
  expect(blocked.most).toBeLessThan(500);
});

it('refuses what waits when it is closed', async () => {
  const one = reviewer();
  const waiting = [one.review({ after: slow }), one.review({ after: sampleDescriptor() })];
  await one.close();
  for (const review of await Promise.all(waiting)) expect(review.refusal?.code).toBe('plugin.stopped');
  expect((await one.review({ after: sampleDescriptor() })).refusal?.code).toBe('plugin.stopped');
});
