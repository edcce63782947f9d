import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { FanoutReport } from './fanout/fanout.js';
import { type Call, measureLatency, measureRate } from './measure.js';
import type { Report } from './report.js';
import { median, percentile } from './statistics.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('run.mjs', import.meta.url));

test('the benchmark measures floor and ours with the built package and reports under stable names', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'palyra-bench-test-'));
  const file = join(directory, 'report.json');
  try {
    const names = [
      'dispatch.latency.p50',
      'dispatch.rate.1node',
      'plugin.process.overhead',
      'plugin.process.cold',
    ];
    const { stdout } = await run(process.execPath, [program, ...names, '--sanity', '--json', file]);
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    expect(Object.keys(report.benchmarks)).toEqual(names);
    for (const name of names) expect(stdout).toContain(name);
    for (const { value, floor, ratio, ok, bar, barIs, barOf } of Object.values(report.benchmarks)) {
      expect(value).toBeGreaterThan(0);
      expect(floor).toBeGreaterThan(0);
      expect(ratio).toBeCloseTo(value / floor, 1);
      const held = { ratio, value, difference: value - floor }[barOf];
      expect(ok).toBe(barIs === 'at most' ? held <= bar : held >= bar);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);

test('a fan-out to real node hosts brings all results back, and says how long it took and what each host costs', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'palyra-bench-test-'));
  const file = join(directory, 'report.json');
  try {
    const { stdout } = await run(process.execPath, [program, 'fanout', '--sanity', '--json', file]);
    const report = JSON.parse(await readFile(file, 'utf8')) as FanoutReport;
    expect(report).toMatchObject({ hosts: 20, processes: 2, rounds: [{}] });
    expect(stdout).toContain('20 real node hosts in 2 processes');
    for (const { p50Ms, p95Ms, wallMs } of report.rounds) {
      expect(p50Ms).toBeGreaterThan(0);
      expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
      expect(wallMs).toBeGreaterThanOrEqual(p95Ms);
    }
    expect(report.memory.connected).toBeGreaterThan(0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 120_000);

test('an unknown name is refused with the known ones', async () => {
  const failed = await run(process.execPath, [program, 'dispatch.speed']).catch(
    (error: { code: number; stderr: string }) => error,
  );
  expect(failed).toMatchObject({ code: 2 });
  expect(failed.stderr).toContain('dispatch.rate.1node');
});

test('a latency is made of calls one at a time, a rate of so many at once', async () => {
  let open = 0;
  let most = 0;
  const call = (done: () => void): void => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      done();
    });
  };
  expect(await measureLatency(call, 50)).toMatchObject({ samples: 50 });
  expect(most).toBe(1);
  expect(await measureRate(call, 16, 0)).toBeGreaterThan(0);
  expect({ most, open }).toEqual({ most: 16, open: 0 });
});

test('a call that fails fails the measurement', async () => {
  const call: Call = (done) => {
    setImmediate(() => done(new Error('lost')));
  };
  await expect(measureLatency(call, 3)).rejects.toThrow('lost');
  await expect(measureRate(call, 3, 10)).rejects.toThrow('lost');
});

test('medians and percentiles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
  expect(() => median([])).toThrow(RangeError);
});
