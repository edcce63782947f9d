import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchError } from '../actors/errors.js';
import {
  sampleDevice,
  sampleDeviceId,
  sampleDispatch,
  sampleId,
  sampleTime,
} from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
  cli.control.enrolled = [sampleDevice({ name: 'build-7' })];
});
afterEach(() => cli.close());

const terminal = { columns: 80, answer: true } as const;
const running = (number: number) => {
  const {
    outcome: _outcome,
    finishedAt: _finishedAt,
    ...rest
  } = sampleDispatch({ id: sampleId('dp', number) });
  return { ...rest, state: 'running' as const };
};

describe('dispatches list', () => {
  it('shows the latest in a table that fits the terminal, with the names of nodes', async () => {
    cli.control.known = [
      running(2),
      sampleDispatch({ capability: 'a.capability.with.a.very.long.name.indeed' }),
    ];
    const { code, stdout } = await cli.run(['dispatches', 'list'], { terminal, env: { NO_COLOR: '1' } });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(new RegExp(`^${sampleId('dp', 2)} +12 s ago +build-7 +echo +running +local$`));
    expect(lines[2]).toMatch(/succeede…|succeeded/);
  });

  it('asks for what the options say, and prints JSON as other lists do', async () => {
    const filter = ['--state', 'failed', 'running', '--node', 'build-7', '--capability', 'echo'];
    const more = ['--caller', 'operator:local', '--label', 'team=infra', '--label', 'run=42'];
    const times = ['--since', '2h', '--until', '2026-01-02', '--limit', '5', '--json'];
    const { code, stdout } = await cli.run(['dispatches', 'list', ...filter, ...more, ...times]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { dispatches: [] }]);
    expect(cli.control.asked('listDispatches')).toEqual([
      {
        states: ['failed', 'running'],
        deviceId: sampleDeviceId(),
        capability: 'echo',
        caller: 'operator:local',
        labels: { team: 'infra', run: '42' },
        since: sampleTime + 12_000 - 7_200_000,
        until: Date.UTC(2026, 0, 2),
        limit: 5,
      },
    ]);
  });

  it('says what is wrong with an option, and what to do where there is nothing', async () => {
    for (const [option, value] of [
      ['--since', 'yesterday'],
      ['--limit', '0'],
      ['--state', 'odd'],
      ['--until', '2026-13-45'],
    ] as const) {
      const { code, stderr } = await cli.run(['dispatches', 'list', option, value]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(option)]);
    }
    cli.control.known = [];
    expect((await cli.run(['dispatches', 'list'])).stdout).toContain('palyra invoke');
    expect((await cli.run(['dispatches', 'list', '--since', '1d'])).stdout).toBe(
      'No dispatch is like that.\n',
    );
  });
});

describe('dispatches cancel', () => {
  it('says of each what it leads to', async () => {
    const cancelled = { state: 'cancelled', reason: 'operator', started: false } as const;
    const answers = [
      sampleDispatch({ id: sampleId('dp', 1), state: 'cancelled', outcome: cancelled }),
      sampleDispatch({ id: sampleId('dp', 2) }),
      running(3),
    ];
    cli.control.onCancel = async (id) => {
      const found = answers.find((one) => one.id === id);
      if (found) return found;
      throw dispatchError('already_ended', `Dispatch ${id} is failed already`);
    };
    const ids = [1, 2, 3, 4].map((number) => sampleId('dp', number));
    const { code, stdout, stderr } = await cli.run(['dispatches', 'cancel', ...ids, '--reason', 'enough']);
    expect(stdout.split('\n')).toEqual([
      `${ids[0]} is cancelled: it was never started.`,
      `${ids[1]} has ended: succeeded.`,
      `build-7 was told to stop ${ids[2]}; how it ends is its word.`,
      '',
    ]);
    expect(stderr).toContain(`Dispatch ${ids[3]} is failed already`);
    expect(code).toBe(6);
    expect(cli.control.asked('cancelDispatch')).toContainEqual({ id: ids[0], reason: 'enough' });
    cli.control.enrolled = [sampleDevice({ name: 'build-7', presence: 'offline' })];
    expect((await cli.run(['dispatches', 'cancel', ids[2] ?? ''])).stdout).toContain('build-7 is offline');
  });

  it('shows what its options mean and asks before it ends that', async () => {
    cli.control.known = [...Array.from({ length: 12 }, (_, at) => running(at + 1)), sampleDispatch()];
    const cancel = ['dispatches', 'cancel', '--node', 'build-7'];
    const no = await cli.run(cancel, { terminal: { columns: 80, answer: false } });
    expect(no.asked).toEqual(['Cancel 12 dispatches?']);
    expect(no.stdout).toContain('… and 2 more');
    expect(no.stdout).toContain('Nothing was changed.');
    expect(cli.control.asked('cancelDispatch')).toEqual([]);
    const nobody = await cli.run(cancel);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const { code, stdout } = await cli.run([...cancel, '--yes', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).dispatches).toHaveLength(12);
    expect(cli.control.asked('cancelDispatch')).toHaveLength(12);
  });

  it('takes ids or options, not both and not none', async () => {
    for (const args of [[], [sampleId('dp'), '--state', 'queued']]) {
      const { code, stderr } = await cli.run(['dispatches', 'cancel', ...args, '--yes']);
      expect([code, stderr]).toEqual([2, expect.stringContaining('by their ids, or by options')]);
    }
  });

  it('waits for the end only so long', async () => {
    cli.control.onCancel = async (id) => ({ ...running(1), id });
    cli.control.onGet = () => new Promise(() => undefined);
    const { code, stderr } = await cli.run(['dispatches', 'cancel', sampleId('dp'), '--wait', '5m']);
    expect([code, stderr]).toEqual([8, expect.stringContaining('had not ended when the waiting did')]);
  });
});

describe('dispatches retry', () => {
  it('runs it again with a fresh key, and prints what it returns', async () => {
    cli.control.known = [sampleDispatch({ id: sampleId('dp', 2), retryOf: sampleId('dp') })];
    const { code, stdout, stderr } = await cli.run(['dispatches', 'retry', sampleId('dp')]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { text: 'hello' }]);
    expect(stderr).toContain(`Asked for again, as ${sampleId('dp', 2)}`);
    await cli.run(['dispatches', 'retry', sampleId('dp'), '--may-have-run', '--queue', '--no-wait']);
    const [first, second] = cli.control.asked('retryDispatch') as readonly { readonly keyIfNeeded: string }[];
    expect(first).toEqual({ id: sampleId('dp'), keyIfNeeded: expect.stringMatching(/^[\da-f-]{36}$/) });
    expect(second).toMatchObject({ mayHaveRun: true, queue: true });
    expect(second?.keyIfNeeded).not.toBe(first?.keyIfNeeded);
  });

  it('cancels it on the first Ctrl-C, and leaves on the second', async () => {
    let interrupt = (): void => undefined;
    cli.control.onRetry = async (retryOf) => ({ ...running(2), retryOf });
    cli.control.onGet = () => new Promise(() => setImmediate(interrupt));
    cli.control.onCancel = async (id) => {
      setImmediate(interrupt);
      return { ...running(2), id };
    };
    const { code, stderr } = await cli.run(['dispatches', 'retry', sampleId('dp')], {
      onStart: (given) => {
        interrupt = given;
      },
    });
    expect(code).toBe(6);
    expect(stderr).toContain('Cancelling.');
    expect(stderr).toContain(`palyra dispatches show ${sampleId('dp', 2)}`);
    expect(cli.control.asked('cancelDispatch')).toHaveLength(1);
  });
});

describe('dispatches prune', () => {
  it('says how many, asks, has it done and looks on until it is', async () => {
    const prune = ['dispatches', 'prune', '--older-than', '7d', '--state', 'succeeded', 'failed'];
    const { code, stdout, asked } = await cli.run(prune, { terminal });
    expect([code, asked]).toEqual([0, ['Delete 40 dispatches that have ended, for good?']]);
    expect(stdout).toContain('Looked at 2000, deleted 20');
    expect(stdout).toMatch(/Deleted 40 of 5000 dispatches that have ended\.\n$/);
    const order = { olderThanMs: 604_800_000, states: ['succeeded', 'failed'] };
    expect(cli.control.asked('prune')).toEqual([{ ...order, dryRun: true }, order]);
  });

  it('deletes nothing on a dry run, nor without a word', async () => {
    const dry = await cli.run(['dispatches', 'prune', '--keep', '100', '--dry-run']);
    expect(dry.stdout).toBe('40 of 5000 dispatches that have ended would be deleted.\n');
    const no = await cli.run(['dispatches', 'prune'], { terminal: { columns: 80, answer: false } });
    expect(no.stdout).toContain('Nothing was changed.');
    const nobody = await cli.run(['dispatches', 'prune']);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const asked = cli.control.asked('prune') as readonly { readonly dryRun?: boolean }[];
    expect(asked.map(({ dryRun }) => dryRun)).toEqual([true, true]);
  });

  it('prints how it ended as JSON', async () => {
    const { stdout } = await cli.run(['dispatches', 'prune', '--yes', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'done', pruned: 40, by: 'operator:local' });
  });
});
