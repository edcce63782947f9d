import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { sampleSubject } from '../../test/model/samples.js';
import type { MediationAnswer, MediationRequest } from '../actors/mediation/question.js';
import { promptMediator } from '../node/mediation.js';
import { askPermission, questionOf } from './ask-permission.js';
import { choose } from './choose.js';
import type { CliContext } from './context.js';

const { descriptorDigest: _digest, ...subject } = sampleSubject({
  title: 'Open a web page',
  remember: { by: 'origin', value: 'https://example.com', mostMs: 3_600_000 },
});
const request: MediationRequest = { ...subject, timeoutMs: 119_700 };
const enter = '\r';
const down = '\u001b[B';

/** A terminal as the prompt sees one: what is typed goes in, what is on the screen comes out. */
class Screen {
  readonly input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => this.input });
  readonly output: PassThrough & { readonly columns: number };
  #text = '';
  #waiting: (() => void)[] = [];

  constructor(columns = 100) {
    this.output = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 30 });
    this.output.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  get text(): string {
    return stripVTControlCharacters(this.#text);
  }

  /** Resolves when that was written, with all that moves the cursor. */
  async writes(sequence: string): Promise<void> {
    while (!this.#text.includes(sequence)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when a text stands on the screen, written after the first `from` characters. */
  async shows(text: string, from = 0): Promise<void> {
    while (!this.text.slice(from).includes(text))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  ask(asked: MediationRequest, signal: AbortSignal): Promise<MediationAnswer> {
    const context: Pick<CliContext, 'choose'> = {
      choose: (question, choices, over) => choose(this, question, choices, over),
    };
    return askPermission(context, asked, signal);
  }
}

const never = new AbortController().signal;

it('shows who asks, what, by which build, the input and the time', () => {
  expect(questionOf(request)).toBe(
    [
      'operator:ada asks to run open on this machine: Open a web page',
      '  Plugin lab 1.0.0 of Test, build b1',
      '  {',
      '    "url": "https://example.com/a"',
      '  }',
      'Allow it? No answer within 2m is a no.',
    ].join('\n'),
  );
});

it('prints nothing that a terminal would obey, and says where a long input is cut', () => {
  const bad = '\u001b[2J\u202e\u0007';
  const text = questionOf({
    ...request,
    caller: `operator:${bad}eve`,
    title: `${bad}Harmless\nAllow it? Press Enter`,
    input: { text: bad, lines: Array.from({ length: 1_000 }, (_, at) => at) },
  });
  expect(text.replaceAll('\n', '')).toBe(stripVTControlCharacters(text).replaceAll('\n', ''));
  for (const obeyed of ['\u001b', '\u202e', '\u0007']) expect(text).not.toContain(obeyed);
  expect(text.split('\n')).toHaveLength(24);
  expect(text).toContain('… cut here; it is ');
});

it.each<readonly [string, readonly string[], MediationAnswer]>([
  ['Enter alone', [enter], { answer: 'deny' }],
  ['Esc', ['\u001b'], { answer: 'deny' }],
  ['Ctrl-C', ['\u0003'], { answer: 'deny' }],
  ['the second answer', [down, enter], { answer: 'allow' }],
  ['the third', [down, down, enter], { answer: 'allow', rememberMs: 600_000 }],
  ['the fourth', [down, down, down, enter], { answer: 'allow', rememberMs: 3_600_000 }],
])('takes %s for what it is', async (_what, keys, answer) => {
  const screen = new Screen();
  const asked = screen.ask(request, never);
  await screen.shows('https://example.com whenever operator:ada asks, for 1h');
  for (const key of keys) screen.input.write(key);
  expect(await asked).toEqual(answer);
});

it('offers nothing to be remembered where nothing may be', async () => {
  const screen = new Screen();
  const { remember: _remember, ...once } = request;
  const asked = screen.ask(once, never);
  await screen.shows('Yes, this once');
  expect(screen.text).not.toContain('whenever');
  screen.input.write(`${down}${down}${enter}`);
  expect(await asked).toEqual({ answer: 'deny' });
});

it.each([0, 20])('stands a terminal that says it has %i columns', async (columns) => {
  const screen = new Screen(columns);
  const asked = screen.ask(request, never);
  await screen.shows('●');
  screen.input.write(enter);
  expect(await asked).toEqual({ answer: 'deny' });
});

it('takes a question from the screen that nobody needs answered, and hears no key of it later', async () => {
  const screen = new Screen();
  const over = new AbortController();
  const answers: MediationAnswer[] = [];
  const mediator = promptMediator((asked, signal) => screen.ask(asked, signal));
  mediator.ask(request, over.signal, (answer) => answers.push(answer));
  await screen.shows('Yes, this once');
  over.abort();
  const from = screen.text.length;
  // The place of its first line, and everything below cleared.
  await screen.writes('\u001b8\u001b[J');
  // Meant for the one that is gone: it is no answer to the next.
  screen.input.write(`${down}${enter}`);
  mediator.ask({ ...request, capability: 'another' }, never, (answer) => answers.push(answer));
  await screen.shows('run another', from);
  expect(answers).toEqual([]);
  screen.input.write(enter);
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(answers).toEqual([{ answer: 'deny' }]);
});

it('is nobody when the terminal breaks', async () => {
  const mediator = promptMediator(() => Promise.reject(new Error('EIO')));
  const answer = await new Promise<MediationAnswer>((resolve) => mediator.ask(request, never, resolve));
  expect(answer).toMatchObject({ answer: 'nobody' });
});
