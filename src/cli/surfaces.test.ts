import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleDevice, sampleDeviceId, sampleSurface } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
  const approved = { state: 'approved', verdict: 'same', changes: [], actions: ['revoke'] } as const;
  cli.control.enrolled = [sampleDevice({ name: 'build-7' })];
  cli.control.offered = [sampleSurface(), sampleSurface({ capability: 'echo', ...approved })];
});
afterEach(() => cli.close());

const terminal = { columns: 120, answer: true } as const;

it('lists what waits for a decision with what differs most, and the rest when asked', async () => {
  const { stdout } = await cli.run(['surfaces', 'list']);
  expect(stdout).toContain('timeout: raised from 30s to 1h');
  expect(stdout).not.toContain('echo');
  expect((await cli.run(['surfaces', 'list', '--all', '--node', 'build-7'])).stdout).toContain('echo');
  const { stdout: text } = await cli.run(['surfaces', 'list', '--state', 'revoked']);
  expect(text).toContain('palyra surfaces list --all');
  expect(JSON.parse((await cli.run(['surfaces', 'list', '--json'])).stdout)).toMatchObject({
    surfaces: [{ capability: 'system.health', verdict: 'wider' }],
  });
});

it('grants a capability by label, as it was shown, and takes a grant back', async () => {
  const grant = ['surfaces', 'grant', 'build-7:system.health', '--label', 'role=edge', '--label', 'site=b'];
  const { code, stdout, asked } = await cli.run([...grant, '--reason', 'all of them'], { terminal });
  expect(code).toBe(0);
  expect(asked[0]).toContain('role=edge, site=b');
  expect(stdout).toContain('is granted to machines with role=edge, site=b');
  expect(cli.control.asked('grant')).toEqual([
    {
      deviceId: sampleDeviceId(),
      capability: 'system.health',
      digest: 'ef'.repeat(32),
      buildDigest: 'build-2',
      labels: { role: 'edge', site: 'b' },
      reason: 'all of them',
    },
  ]);
  expect((await cli.run(['surfaces', 'grants'])).stdout).toMatch(/standing +system\.health +role=edge/);
  const taken = await cli.run(['surfaces', 'withdraw', 'gr_01kdy000000000000000000001', '--yes']);
  expect(taken.stdout).toContain('is not granted any more');
});

it('grants nothing without a label, and nothing to several capabilities at once', async () => {
  const noLabel = await cli.run(['surfaces', 'grant', 'build-7:system.health', '--yes']);
  expect([noLabel.code, noLabel.stderr]).toEqual([2, expect.stringContaining('at least one --label')]);
  const several = await cli.run(['surfaces', 'grant', 'build-7', '--label', 'role=edge', '--yes']);
  expect([several.code, several.stderr]).toEqual([2, expect.stringContaining('is not one capability')]);
  expect(cli.control.asked('grant')).toEqual([]);
});

it('shows one capability change by change, and prints nothing that a plugin could trick a terminal with', async () => {
  cli.control.offered = [
    sampleSurface({
      changes: [{ pointer: '', kind: 'wider', sentence: 'title: reads "\u001b[2J\u202eevil"' }],
    }),
  ];
  const { code, stdout } = await cli.run(['surfaces', 'show', 'build-7:system.health']);
  expect(code).toBe(0);
  expect(stdout).toContain('asks for more than what was approved');
  expect(stdout).toMatch(/wider +title: reads/);
  for (const sign of ['\u001b', '\u202e']) expect(stdout).not.toContain(sign);
});

it('shows how the node runs it, what holds it to its permissions, and why it runs no more', async () => {
  const { stdout } = await cli.run(['surfaces', 'show', 'build-7:system.health']);
  expect(stdout).toMatch(
    /Runs +in a process of its own, held to its permissions on files, programs, environment; only declares those on network/,
  );
  expect(stdout).toMatch(/Disabled +it failed 5 times in 5 minutes/);
});

it('names the nearest capability', async () => {
  const { code, stderr } = await cli.run(['surfaces', 'show', 'build-7:system.heath']);
  expect(code).toBe(7);
  expect(stderr).toContain('system.health');
});

it('decides what was shown, when the person says yes', async () => {
  const { stdout, asked } = await cli.run(['surfaces', 'approve', 'build-7', '--reason', 'fine'], {
    terminal,
  });
  expect(asked).toEqual(['May this be called: system.health on build-7?']);
  expect(stdout).toContain('may be called');
  expect(cli.control.asked('decideSurface')).toEqual([
    {
      deviceId: sampleDeviceId(),
      capability: 'system.health',
      action: 'approve',
      digest: 'ef'.repeat(32),
      buildDigest: 'build-2',
      reason: 'fine',
    },
  ]);
});

it('changes nothing when the person says no, or when nobody can be asked', async () => {
  const no = await cli.run(['surfaces', 'revoke', 'build-7:echo'], {
    terminal: { columns: 80, answer: false },
  });
  expect(no.stdout).toContain('Nothing was changed');
  const nobody = await cli.run(['surfaces', 'revoke', 'build-7:echo']);
  expect(nobody.code).toBe(2);
  expect(cli.control.asked('decideSurface')).toEqual([]);
  const yes = await cli.run(['surfaces', 'revoke', 'build-7:echo', '--yes', '--json']);
  expect(JSON.parse(yes.stdout)).toMatchObject({ surfaces: [{ capability: 'echo', state: 'revoked' }] });
});
