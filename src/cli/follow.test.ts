import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DispatchHappening } from '../actors/dispatch/view.js';
import { deferred } from '../adapters/http/testing/deferred.js';
import { sampleDispatch, sampleId, sampleTime } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

const id = sampleId('dp');
const ended = sampleDispatch({ state: 'succeeded', outcome: { state: 'succeeded', output: { done: true } } });
const at = { steps: 1, epoch: 1, sequence: 0 };

const step = (to: 'queued' | 'awaiting_local_mediation' | 'running'): DispatchHappening => ({
  event: 'step',
  at,
  step: { at: sampleTime, to, event: 'x', by: 'operator:local' },
});
const progress = (sequence: number, value: unknown): DispatchHappening => ({
  event: 'progress',
  at: { ...at, sequence },
  sequence,
  value,
});
const end: DispatchHappening = { event: 'end', at: { ...at, steps: 2 }, record: ended };

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
});
afterEach(() => cli.close());

function happens(...all: readonly DispatchHappening[]): void {
  cli.control.happenings = async function* () {
    yield* all;
  };
}

const terminal = { columns: 200, answer: true };

describe('palyra invoke --follow', () => {
  beforeEach(() => {
    cli.control.onCreate = async () => sampleDispatch({ state: 'queued' });
  });

  it('prints each progress value as a line, then what it returns', async () => {
    happens(
      step('running'),
      progress(1, 'half\u001b[2J way\nthere'),
      { event: 'gap', at, missed: 7 },
      progress(9, { file: 'a\u009bb' }),
      end,
    );
    const { code, stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--follow']);
    expect(code).toBe(0);
    expect(stdout).toBe('half way there\n{"file":"a\\u009bb"}\n{\n  "done": true\n}\n');
    expect(stderr).toContain('7 progress values were left out\n');
    expect(stderr).toContain('✓ succeeded');
    expect(cli.control.asked('createDispatch')).toMatchObject([{ wait: false }]);
  });

  it('prints each event as a line of JSON with --json, the end among them', async () => {
    happens(step('running'), progress(1, 0.5), end);
    const { stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--follow', '--json']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { event: 'step', data: { to: 'running' } },
      { event: 'progress', id: '1.1.1', data: { sequence: 1, value: 0.5 } },
      { event: 'end', data: { id, outcome: { output: { done: true } } } },
    ]);
    expect(stderr).toBe('');
  });

  it('cancels at Ctrl-C and waits for how it ends', async () => {
    let interrupt = (): void => {};
    const cancelled = deferred();
    cli.control.happenings = async function* () {
      yield step('running');
      interrupt();
      await cancelled.promise;
      const outcome = { state: 'cancelled' } as const;
      yield { event: 'end', at, record: sampleDispatch({ state: 'cancelled', outcome }) };
    };
    cli.control.onCancel = async () => {
      cancelled.resolve();
      return sampleDispatch({ state: 'running' });
    };
    const { code, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--follow'], {
      onStart: (press) => {
        interrupt = press;
      },
    });
    expect(code).toBe(6);
    expect(stderr).toContain('✗ cancelled');
    expect(cli.control.asked('cancelDispatch')).toMatchObject([{ id }]);
  });

  it('is refused beside --no-wait', async () => {
    const { code, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--follow', '--no-wait']);
    expect(code).toBe(2);
    expect(stderr).toContain('--follow waits for the end, --no-wait does not');
  });
});

describe('palyra dispatches follow', () => {
  it('follows to the end, from where it is told', async () => {
    happens(progress(4, 'more'), end);
    const { code, stdout } = await cli.run(['dispatches', 'follow', id, '--after', '1.1.3']);
    expect(code).toBe(0);
    expect(stdout).toBe('more\n{\n  "done": true\n}\n');
    expect(cli.control.asked('followDispatch')).toEqual([{ id, after: { steps: 1, epoch: 1, sequence: 3 } }]);
  });

  it('says so where there is no such dispatch', async () => {
    const { code, stderr } = await cli.run(['dispatches', 'follow', sampleId('dp', 9)]);
    expect([code, stderr]).toEqual([7, expect.stringContaining('There is no dispatch')]);
  });
});

describe('the live line of palyra invoke', () => {
  /** A dispatch that goes on until the line has shown everything. */
  function awaited(...shown: readonly DispatchHappening[]): void {
    const done = deferred();
    cli.control.onCreate = async ({ labels = {} }) => {
      cli.control.known = [sampleDispatch({ state: 'running', labels })];
      await done.promise;
      return ended;
    };
    cli.control.happenings = async function* (signal) {
      yield* shown;
      done.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    };
  }

  it('shows state and progress on a terminal, beside the result, and is gone at the end', async () => {
    awaited(step('queued'), step('awaiting_local_mediation'), step('running'), progress(1, '50 %\u001b[31m'));
    const { stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo'], {
      terminal,
      env: { NO_COLOR: '1' },
    });
    const shown = stderr.split('\r\u001b[2K');
    expect(shown.slice(1, 4)).toEqual([
      'Queued for build-7',
      'Waiting for the person at build-7',
      'Running on build-7',
    ]);
    expect(shown.at(-1)).toContain('✓ succeeded');
    expect(stdout).toBe('{\n  "done": true\n}\n');
  });

  it('leaves stdout to the result with --json, and is not there without a terminal', async () => {
    awaited(step('running'), progress(1, { done: 0.5 }));
    const { stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--json'], { terminal });
    expect(JSON.parse(stdout)).toMatchObject({ id });
    expect(stderr).toContain('Running on build-7');
    cli.control.onCreate = async () => ended;
    expect((await cli.run(['invoke', 'build-7', 'echo', '--json'])).stderr).toBe('');
    expect(cli.control.asked('followDispatch')).toHaveLength(1);
  });
});
