import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { sampleSubject } from '../../test/model/samples.js';
import type { MediationAnswer, MediationRequest } from '../actors/mediation/question.js';
import { absentMediator, streamMediator } from './mediation.js';

const { descriptorDigest: _digest, ...subject } = sampleSubject();
const request = (dispatchId: string): MediationRequest => ({ ...subject, dispatchId, timeoutMs: 1_000 });

function program() {
  const input = new PassThrough();
  const told: string[] = [];
  const answers: MediationAnswer[] = [];
  const mediator = streamMediator(input, {
    asked: ({ dispatchId }) => told.push(`asked ${dispatchId}`),
    takenBack: (id) => told.push(`taken back ${id}`),
    refused: (message) => told.push(message),
  });
  const ask = (id: string, signal = new AbortController().signal): void =>
    mediator.ask(request(id), signal, (answer) => answers.push(answer));
  const say = async (line: string): Promise<void> => {
    input.write(`${line}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { input, told, answers, ask, say };
}

it('takes answers of a program in any order', async () => {
  const { told, answers, ask, say } = program();
  for (const id of ['dp_1', 'dp_2', 'dp_3']) ask(id);
  expect(told).toEqual(['asked dp_1', 'asked dp_2', 'asked dp_3']);
  await say('{"answer":"allow","dispatchId":"dp_3","remember":"10m"}');
  await say('{"answer":"deny","dispatchId":"dp_1"}');
  await say('{"answer":"allow","dispatchId":"dp_2"}');
  expect(answers).toEqual([
    { answer: 'allow', rememberMs: 600_000 },
    { answer: 'deny' },
    { answer: 'allow' },
  ]);
});

it.each([
  ['yes', 'not JSON'],
  ['null', 'a JSON object'],
  ['{"answer":"allow"}', "'dispatchId' is missing"],
  ['{"answer":"maybe","dispatchId":"dp_1"}', 'must be allow or deny'],
  ['{"answer":"allow","dispatchId":"dp_1","remember":3600}', 'must be a duration'],
  ['{"answer":"allow","dispatchId":"dp_1","remember":"for ever"}', 'is not a duration'],
  ['{"answer":"allow","dispatchId":"dp_9"}', 'No question of that dispatch is open'],
])('says what is wrong with %s, and goes on asking', async (line, why) => {
  const { told, answers, ask, say } = program();
  ask('dp_1');
  await say('');
  await say(line);
  expect(told).toEqual(['asked dp_1', expect.stringContaining(why)]);
  expect(answers).toEqual([]);
  await say('{"answer":"deny","dispatchId":"dp_1"}');
  expect(answers).toEqual([{ answer: 'deny' }]);
});

it('tells what is taken back, and hears no answer to it', async () => {
  const { told, answers, ask, say } = program();
  const over = new AbortController();
  ask('dp_1', over.signal);
  over.abort();
  await say('{"answer":"allow","dispatchId":"dp_1"}');
  expect(told).toEqual(['asked dp_1', 'taken back dp_1', 'No question of that dispatch is open']);
  expect(answers).toEqual([]);
});

it('is nobody once the program is gone', async () => {
  const { input, answers, ask } = program();
  ask('dp_1');
  input.end();
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  ask('dp_2');
  absentMediator.ask(request('dp_3'), new AbortController().signal, (answer) => answers.push(answer));
  const gone = { answer: 'nobody', reason: expect.stringContaining('run it in a terminal') };
  expect(answers).toEqual([gone, gone, gone]);
});
