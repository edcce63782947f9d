import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleSubject } from '../../test/model/samples.js';
import { RememberedAnswers } from '../actors/mediation/answers.js';
import { DecisionJournal } from '../actors/mediation/decisions.js';
import { openStore } from '../adapters/store/sqlite/sqlite-store.js';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import type { Store } from '../kernel/store.js';
import { exitCodes } from './exit-codes.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let directory: string;
let harness: CliHarness;
let host: Store;
let answers: RememberedAnswers;

/** The node host's own connection stays open: the command works beside it. */
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'palyra-answers-'));
  harness = await openCliHarness();
  host = await openStore(join(directory, 'node.db'));
  answers = new RememberedAnswers(host, new SimulatedClock(Date.now()));
});

afterEach(async () => {
  await host.close();
  await harness.close();
  rmSync(directory, { recursive: true });
});

const palyra = (...argv: string[]) =>
  harness.run(['node', 'answers', ...argv], { env: { PALYRA_NODE_STATE_DIR: directory } });
const remember = (value: string, caller = 'operator:ada') =>
  answers.keep(sampleSubject({ caller, remember: { by: 'value', value, mostMs: 1 } }), 3_600_000);

it('shows what is allowed, to whom and for how long, and nothing that a terminal would obey', async () => {
  expect((await palyra('list')).stdout).toBe('Nothing is allowed without a question.\n');
  await remember('https://example.com');
  await remember('"\u001b[2Jgone\u202e"', 'operator:\u001b[31meve');
  const { stdout, code } = await palyra('list');
  expect(code).toBe(exitCodes.ok);
  expect(stdout).toMatch(/^ID +CAPABILITY +ALLOWED +TO +GIVEN +ENDS\n/);
  expect(stdout).toMatch(/^an_[0-9a-f]{9} +open +https:\/\/example.com +operator:ada +/m);
  for (const obeyed of ['\u001b', '\u202e']) expect(stdout).not.toContain(obeyed);
  expect(JSON.parse((await palyra('list', '--json')).stdout).answers[0]).toEqual({
    id: expect.stringMatching(/^an_[0-9a-f]{32}$/),
    capability: 'open',
    descriptorDigest: 'd',
    plugin: 'lab',
    build: 'b1',
    by: 'value',
    value: 'https://example.com',
    caller: 'operator:ada',
    allowedAt: expect.stringMatching(/Z$/),
    expiresAt: expect.stringMatching(/Z$/),
  });
});

it('takes back one or all, which counts in the host that runs', async () => {
  const first = await remember('1');
  await remember('2');
  await remember('3');
  const asked = sampleSubject({ remember: { by: 'value', value: '1', mostMs: 1 } });
  expect(await answers.find(asked)).toBeDefined();
  expect((await palyra('forget', first?.id.slice(0, 12) ?? '')).stdout).toBe('Took 1 answer back.\n');
  expect(await answers.find(asked)).toBeUndefined();
  expect(await answers.list()).toHaveLength(2);
  expect((await palyra('forget', '--all', '--json')).stdout).toBe('{\n  "forgotten": 2\n}\n');
  expect(await answers.list()).toEqual([]);
  await remember('1');
  expect(await answers.find(asked)).toBeDefined();
});

it('says what is wrong with what it is told, and takes nothing back then', async () => {
  const first = await remember('1');
  for (const argv of [[], [first?.id ?? '', '--all']]) {
    expect((await palyra('forget', ...argv)).stderr).toContain('or all of them with --all');
  }
  expect((await palyra('forget', first?.id ?? '', 'an_nothing')).stderr).toContain(
    "begins with 'an_nothing'",
  );
  expect((await palyra('forget', 'an_')).stderr).toContain('at least 7 characters');
  expect(await answers.list()).toHaveLength(1);
  const { stderr, code } = await palyra('list', '--state-dir', join(directory, 'nowhere'));
  expect(stderr).toContain('No node has its state in');
  expect(code).toBe(exitCodes.notFound);
});

it('shows what was asked, by whom, and what came of it', async () => {
  expect((await palyra('history')).stdout).toBe('Nobody was asked anything here.\n');
  const journal = new DecisionJournal(host);
  const at = Date.now();
  await journal.note(sampleSubject(), { kind: 'denied' }, at);
  await journal.note(
    sampleSubject({ dispatchId: 'dp_2', caller: 'operator:eve' }),
    { kind: 'unanswered' },
    at + 1,
  );
  const { stdout } = await palyra('history');
  expect(stdout).toMatch(/unanswered +open +operator:eve +dp_2\n.*denied +open +operator:ada +dp_1\n$/);
  const shown = JSON.parse((await palyra('history', '--limit', '1', '--json')).stdout);
  expect(shown.decisions).toMatchObject([{ dispatchId: 'dp_2', decision: 'unanswered' }]);
  expect((await palyra('history', '--limit', '0')).stderr).toContain(
    "'0' is not a whole number from 1 to 1000",
  );
});
