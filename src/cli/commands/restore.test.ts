import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { start } from '../../../test/model/samples.js';
import { makeSampleState, sampleAuthority, sampleDevices } from '../../../test/support/sample-state.js';
import { createBackup } from '../../adapters/backup/create-backup.js';
import { RevocationFile } from '../../adapters/store/revocation-file.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { type CliHarness, openCliHarness } from '../testing/cli-harness.js';

const clock = new SimulatedClock(start);
let base: string;
let file: string;
let fresh: string;
let cli: CliHarness;
let round = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'palyra-restore-cli-'));
  file = join(base, 'backup.tar');
  cli = await openCliHarness();
  await makeSampleState(join(base, 'state'), await sampleAuthority(clock), clock);
  await createBackup({ stateDirectory: join(base, 'state'), file, version: '0.1.0', clock });
});
beforeEach(() => {
  fresh = join(base, `fresh-${round++}`);
});
afterAll(async () => {
  await cli.close();
  await rm(base, { recursive: true });
});

const terminal = (answer: boolean) => ({ terminal: { columns: 100, answer } });

async function barred(): Promise<string[]> {
  const revocations = await RevocationFile.open(join(fresh, 'revocations.log'));
  const ids = [...revocations.latest()].map(({ deviceId }) => deviceId);
  await revocations.close();
  return ids;
}

test('on a terminal each trusted device of the backup is asked about, and no is the default', async () => {
  const run = await cli.run(['restore', file, '--state-dir', fresh], terminal(false));
  expect(run.code).toBe(0);
  expect(run.asked).toHaveLength(2);
  expect(run.asked[0]).toMatch(/^Trust node-[01] \([A-Z2-7-]+…?, never seen\)\?$/);
  expect((await barred()).sort()).toEqual([...sampleDevices].sort());
  expect(run.stdout).toMatch(/^Restored the state of 2026-01-01T00:00:00.000Z/);
  expect(run.stdout).toContain('Revoked ');
});

test('a device that is trusted still is left alone, and one that --revoke names is not asked about', async () => {
  const run = await cli.run(['restore', file, '--state-dir', fresh, '--revoke', 'node-1'], terminal(true));
  expect(run.asked).toHaveLength(1);
  expect((await barred()).sort()).toEqual([sampleDevices[1], sampleDevices[2]].sort());
});

test('--revoke takes an id with or without groups, and refuses what no device or more than one is', async () => {
  const [one] = sampleDevices;
  const grouped =
    one
      .match(/.{1,7}/g)
      ?.join('-')
      .toLowerCase() ?? '';
  const run = await cli.run([
    'restore',
    file,
    '--state-dir',
    fresh,
    '--revoke',
    grouped,
    '--trust-all-devices',
  ]);
  expect(run.code).toBe(0);
  expect(await barred()).toContain(one);
  const unknown = await cli.run(['restore', file, '--state-dir', join(base, 'x'), '--revoke', 'old']);
  expect([unknown.code, unknown.stderr]).toEqual([7, expect.stringContaining("no device named 'old'")]);
  expect(existsSync(join(base, 'x', 'palyra.db'))).toBe(false);
});

test('a script that does not decide is refused with the devices in the answer', async () => {
  const run = await cli.run(['restore', file, '--state-dir', fresh, '--json']);
  expect(run.code).toBe(2);
  expect(JSON.parse(run.stdout)).toMatchObject({
    error: { code: 'cli.confirmation_needed', hint: expect.stringContaining('--trust-all-devices') },
  });
  expect(JSON.parse(run.stdout).error.details.devices).toHaveLength(2);
});

test('a file that is no backup is usage, and help names the exit codes', async () => {
  await writeFile(join(base, 'text'), 'hello, I am a text');
  const run = await cli.run(['restore', join(base, 'text'), '--state-dir', fresh]);
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('is not a backup of palyra')]);
  for (const name of ['backup', 'restore']) {
    const help = await cli.run([name, '--help']);
    expect(help.stdout).toMatch(/Examples:[\s\S]*Exit codes:/i);
  }
});
