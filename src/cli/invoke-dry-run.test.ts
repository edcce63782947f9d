import { afterEach, beforeEach, expect, it } from 'vitest';
import { dispatchError } from '../actors/errors.js';
import { sampleDispatch, sampleId } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
});
afterEach(() => cli.close());

const dryRun = (...flags: readonly string[]) =>
  cli.run(['invoke', 'build-7', 'echo', '--dry-run', ...flags], { env: { NO_COLOR: '1' } });
const dispatch = { ...sampleDispatch(), mediationTimeoutMs: 0, nodeName: 'build-7' };

it('says what would happen, and asks for nothing else', async () => {
  const { code, stdout, stderr } = await dryRun();
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('echo would run now on build-7.');
  expect(stdout).toContain('Nothing was done.');
  expect(cli.control.asked('createDispatch')).toEqual([]);
  expect(cli.control.asked('foreseeDispatch')).toEqual([
    { node: 'build-7', capability: 'echo', input: {}, wait: true },
  ]);
});

it.each([
  [{ verdict: 'ask', dispatch: { ...dispatch, mediationTimeoutMs: 120_000 } }, 'for at most 2 min, whether'],
  [{ verdict: 'wait', dispatch, ahead: 9 }, 'has not done yet (9 dispatches)'],
  [{ verdict: 'queue', dispatch, ahead: 3 }, 'build-7 is offline: echo would be queued behind 3 others'],
  [
    { verdict: 'queue', dispatch: { ...dispatch, mediationTimeoutMs: 120_000 } },
    'Then the person at the node is asked',
  ],
  [
    { verdict: 'existing', dispatch, existing: { id: sampleId('dp'), state: 'queued', held: true } },
    `stands for dispatch ${sampleId('dp')} already, which is queued, until what its node offers is approved`,
  ],
] as const)('tells %j', async (forecast, text) => {
  cli.control.forecast = forecast;
  const { code, stdout } = await dryRun();
  expect(code).toBe(0);
  expect(stdout).toContain(text);
});

it('shows what would be refused as the error that it would be, with its exit code, and when to try again', async () => {
  const error = dispatchError('busy', 'Node build-7 has 1000 unfinished dispatches', {
    hint: 'Wait.',
    details: { retryAfterMs: 3_400 },
  });
  cli.control.forecast = { verdict: 'refuse', error: error.toEnvelope() };
  const shown = await dryRun();
  expect(shown.code).toBe(6);
  expect(shown.stdout).toBe('✗ It would be refused. Nothing was done.\n');
  expect(shown.stderr).toBe(
    'error: Node build-7 has 1000 unfinished dispatches\n  hint: Wait.\n  retry: in 3.4 s\n',
  );
  const json = await dryRun('--json');
  expect([json.code, JSON.parse(json.stdout)]).toEqual([6, { verdict: 'refuse', error: error.toEnvelope() }]);
});
