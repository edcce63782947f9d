import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { sampleFanout, samplePlan } from '../adapters/http/testing/fake-fanouts.js';
import { sampleDeviceId, sampleDispatch, sampleId } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;

beforeAll(async () => {
  cli = await openCliHarness();
});
afterAll(() => cli.close());

const target = (name: string) =>
  ({ deviceId: sampleDeviceId(), name, presence: 'online', verdict: 'run' }) as const;
const offline = {
  ...target('away\u001b[2J'),
  presence: 'offline',
  verdict: 'skip',
  error: { code: 'dispatch.node_offline', message: 'Node is offline' },
} as const;
const failed = {
  deviceId: 'B',
  name: 'web-2',
  state: 'failed',
  reason: 'bad\u001b[31m',
  error: { code: 'plugin.broken', message: 'It broke' },
  revision: 2,
} as const;
const partly = sampleFanout({
  state: 'partly_failed',
  members: [...sampleFanout().members, failed],
  counts: { succeeded: 1, failed: 1 },
});

beforeEach(() => {
  cli.control.calls.length = 0;
  cli.control.fanouts.onPlan = () => samplePlan({ matched: 2, targets: [target('build-7'), offline] });
  cli.control.fanouts.onCreate = () => sampleFanout({ state: 'running', members: [] });
  cli.control.fanouts.onGet = () => partly;
  cli.control.known = [sampleDispatch()];
});

it('shows the targets, asks, tells each result and what became of all, and fails when one did', async () => {
  const { code, stdout, asked } = await cli.run(
    [
      'run',
      'echo',
      '--on',
      'role=edge',
      '--batch',
      '1',
      '--limit',
      '50%',
      '--expect',
      '2',
      '--stop-after-failures',
      '1',
    ],
    { terminal: { columns: 100, answer: true } },
  );
  expect(code).toBe(1);
  expect(asked).toEqual(['Run echo there?']);
  expect(stdout).toContain('2 nodes: 1 to run, 1 skipped (offline)');
  expect(stdout).toMatch(/✓ build-7 {2}succeeded.* in 12 ms.*"text":"hello"/);
  expect(stdout).toMatch(/✗ web-2 {2}failed.*, bad: It broke/);
  expect(stdout).toMatch(/failed \(plugin.broken\)\S* +1/);
  expect(stdout).toContain('1 of 2 succeeded in 12 ms');
  expect(stdout).not.toContain('\u001b[2J');
  expect(cli.control.asked('createFanout')).toMatchObject([
    {
      selector: 'role=edge',
      capability: 'echo',
      batch: 1,
      limit: '50%',
      expect: 2,
      stopAfterFailures: 1,
      targetsDigest: 'ab'.repeat(32),
    },
  ]);
});

it('runs nothing for a no, for --dry-run, and where nobody can be asked', async () => {
  const no = await cli.run(['run', 'echo', '--all'], { terminal: { columns: 100, answer: false } });
  expect([no.code, no.stdout.includes('Nothing was changed.')]).toEqual([0, true]);
  const dry = await cli.run(['run', 'echo', '--all', '--dry-run']);
  expect([dry.code, dry.stdout.includes('away')]).toEqual([0, true]);
  const nobody = await cli.run(['run', 'echo', '--all']);
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain('--yes');
  const both = await cli.run(['run', 'echo', '--all', '--on', 'role=edge', '--yes']);
  const neither = await cli.run(['run', 'echo', '--yes']);
  expect([both.code, neither.code]).toEqual([2, 2]);
  expect((await cli.run(['run', 'echo', '--all', '--yes', '--batch', '0'])).code).toBe(2);
  expect(cli.control.asked('createFanout')).toEqual([]);
});

it('says what is wrong with the request, and which nodes are meant, before that nobody can be asked', async () => {
  const shown = await cli.run(['run', 'echo', '--on', 'role=edge']);
  expect(shown.stdout).toContain('2 nodes: 1 to run, 1 skipped (offline)');
  expect(shown.stderr).toContain('Nobody can be asked');
  cli.control.fanouts.onPlan = () => {
    throw new Error('no such label');
  };
  const refused = await cli.run(['run', 'echo', '--on', 'rol=edge']);
  expect(refused.stderr).not.toContain('Nobody can be asked');
  expect(cli.control.asked('createFanout')).toEqual([]);
});

it('prints a line of JSON for the targets, for each result and for the summary', async () => {
  cli.control.fanouts.onGet = () => sampleFanout();
  const { code, stdout } = await cli.run(['run', 'echo', '--on', 'web-1', '--yes', '--json']);
  expect(code).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ event }) => event)).toEqual(['targets', 'result', 'summary']);
  expect(lines[1]).toMatchObject({ name: 'build-7', state: 'succeeded', output: { text: 'hello' } });
  expect(lines[2]).toMatchObject({ state: 'succeeded', counts: { succeeded: 1 } });
});

it('cancels at Ctrl-C and says what became of each', async () => {
  let interrupt = (): void => {};
  let reads = 0;
  const { finishedAt: _finishedAt, ...going } = sampleFanout({ state: 'running', members: [], revision: 2 });
  cli.control.fanouts.onGet = async () => {
    reads += 1;
    if (reads === 1) {
      interrupt();
      return going;
    }
    if (cli.control.asked('cancelFanout').length === 0) return going;
    const [member] = sampleFanout().members;
    const members = member === undefined ? [] : [{ ...member, state: 'cancelled' as const }];
    return sampleFanout({ state: 'cancelled', members, counts: { cancelled: 1 } });
  };
  cli.control.fanouts.onCreate = () => sampleFanout({ state: 'running', members: [] });
  const { code, stdout, stderr } = await cli.run(['run', 'echo', '--all', '--yes'], {
    onStart: (ctrlC) => {
      interrupt = ctrlC;
    },
  });
  expect(code).toBe(6);
  expect(stderr).toContain('Cancelling.');
  expect(cli.control.asked('cancelFanout')).toEqual([
    { id: sampleId('fo'), reason: 'Ctrl-C at the terminal' },
  ]);
  expect(stdout).toContain('build-7  cancelled');
});

it('lists, shows and cancels fan-outs', async () => {
  const list = await cli.run(['fanouts', 'list']);
  expect(list.stdout).toMatch(/role=edge +1 of 1/);
  const shown = await cli.run(['fanouts', 'show', sampleId('fo')]);
  expect(shown.stdout).toContain('✗ web-2  failed, bad: It broke');
  const cancelled = await cli.run(['fanouts', 'cancel', sampleId('fo'), '--yes', '--reason', 'enough']);
  expect(cancelled.stdout).toContain('It is cancelling');
  expect(cli.control.asked('cancelFanout')).toEqual([{ id: sampleId('fo'), reason: 'enough' }]);
});
