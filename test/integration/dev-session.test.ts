import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CliContext } from '../../src/cli/context.js';
import { devReporter } from '../../src/cli/dev-report.js';
import { DevSession } from '../../src/cli/dev-session.js';
import { ControlPlaneClient } from '../../src/client/index.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type SampleProject, sampleProject, sampleSource } from '../../src/plugins/testing/sample-project.js';
import { LocalDaemon } from '../support/local-daemon.js';

vi.setConfig({ testTimeout: 120_000 });

let local: LocalDaemon;
let project: SampleProject;
let over: AbortController;
let running: Promise<void>;
/** What the person was asked, and what they saw. */
let asked: string[];
let seen: string;

beforeEach(async () => {
  local = await LocalDaemon.start('plugins: { enabled: [greet] }');
  project = await sampleProject(sampleSource());
  over = new AbortController();
  asked = [];
  seen = '';
});

afterEach(async () => {
  over.abort();
  await running;
  await project.remove();
  await local.close();
});

/** Starts a session at a terminal whose person says yes to everything. */
function start(): void {
  const screen = {
    isTTY: true,
    columns: 200,
    write: (text: string): void => {
      seen += text;
    },
  };
  const context: CliContext = {
    stdin: (async function* () {})(),
    stdout: screen,
    stderr: screen,
    env: { NO_COLOR: '1' },
    clock: systemClock,
    exitCode: 0,
    interactive: true,
    ask: async () => undefined,
    confirm: async (question) => {
      asked.push(question);
      return true;
    },
    choose: async () => undefined,
    onInterrupt: () => () => undefined,
  };
  const token = readFileSync(join(local.stateDirectory, 'operator.token'), 'utf8').trim();
  const baseUrl = readFileSync(join(local.stateDirectory, 'control.url'), 'utf8').trim();
  const session = new DevSession(
    {
      folder: project.folder,
      stateDirectory: join(local.directory, 'dev'),
      nodeName: 'dev',
      json: false,
      context,
      report: devReporter({}, context),
      connect: async () => new ControlPlaneClient({ baseUrl, token }),
    },
    over.signal,
  );
  running = session.run();
}

const source = () => join(project.folder, 'src/index.ts');

/** Waits until the person sees that. */
async function sees(text: string | RegExp): Promise<void> {
  await expect.poll(() => seen, { timeout: 40_000 }).toMatch(text);
}

test('whoever sits at the terminal is asked there; what the plugin says is shown, and why it fails', async () => {
  await project.write(
    'src/index.ts',
    sampleSource({
      handler: `{
        console.log('printed', input.name);
        log.info('logged', { who: input.name });
        if (input.name === 'Bob') throw new Error('Bob is not here');
        return { greeting: 'Hello, ' + input.name };
      }`,
    }).replace('({ input }) =>', '({ input, log }) =>'),
  );
  start();
  await sees('✓ greet can be called:\n  palyra invoke dev greet --input \'{"name":"Ada"}\'');
  expect(asked).toEqual(['Let this machine join?']);
  await local.invoke('dev', 'greet', { name: 'Ada' });
  await sees(/info {2}printed Ada/);
  await sees(/info {2}logged {"who":"Ada"}/);
  await sees(/Ran greet: succeeded/);
  await local.invoke('dev', 'greet', { name: 'Bob' });
  await sees(/Ran greet: failed after .*Bob is not here/);
});

test('a source that can not be built at first is waited for; one that breaks later changes nothing', async () => {
  await project.write('src/index.ts', sampleSource({ head: 'const = 1;' }));
  start();
  await sees("error: 'greet' can not be bundled: src/index.ts:2:7");
  await project.write('src/index.ts', sampleSource());
  await sees('can be called');
  seen = '';
  await project.write('src/index.ts', sampleSource({ head: "throw new Error('no');" }));
  await sees('What ran before goes on.');
  expect((await local.invoke('dev', 'greet', { name: 'Ada' })).outcome?.output).toEqual({
    greeting: 'Hello, Ada',
  });
});

test('changes are seen however an editor writes them, and in every file that is part of it', async () => {
  const words = (word: string): string => `export const word = '${word}';\n`;
  await project.write('src/words/word.ts', words('Hello'));
  await project.write(
    'src/index.ts',
    sampleSource({
      head: "import { word } from './words/word.js';",
      handler: '({ greeting: word + input.name })',
    }),
  );
  start();
  await sees('can be called');
  const greeted = async (): Promise<unknown> =>
    (await local.invoke('dev', 'greet', { name: '' })).outcome?.output;
  const word = join(project.folder, 'src/words/word.ts');
  // A new file in the place of the old one.
  await writeFile(`${word}.tmp`, words('One'));
  await rename(`${word}.tmp`, word);
  await expect.poll(greeted).toEqual({ greeting: 'One' });
  // Gone and there again.
  unlinkSync(word);
  await sees('What ran before goes on.');
  writeFileSync(word, words('Two'));
  await expect.poll(greeted).toEqual({ greeting: 'Two' });
  // Many at once.
  for (let i = 0; i < 30; i++) writeFileSync(word, words(`Three ${i}`));
  await expect.poll(greeted).toEqual({ greeting: 'Three 29' });
  // Saved without a change.
  const builds = seen.match(/✓ Built/g)?.length;
  writeFileSync(source(), readFileSync(source()));
  writeFileSync(word, words('Four'));
  await expect.poll(greeted).toEqual({ greeting: 'Four' });
  expect(seen.match(/✓ Built/g)?.length).toBe((builds ?? 0) + 1);
});
