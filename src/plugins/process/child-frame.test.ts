import { expect, test } from 'vitest';
import { parseChildFrame } from './child-frame.js';
import { errorOf, failureOf } from './failure.js';
import { frameKinds } from './frames.js';

const { control, log, progress } = frameKinds;
const read = (kind: 0 | 1 | 2, frame: unknown) => parseChildFrame(kind, Buffer.from(JSON.stringify(frame)));

test.each([
  [control, { type: 'ready', protocol: 1, plugin: 'p', build: 'b', capabilities: ['c'] }],
  [control, { type: 'refused', failure: { code: 'load_failed', message: 'no' } }],
  [control, { type: 'done', id: 1, output: null }],
  [
    control,
    { type: 'failed', id: 1, failure: { code: 'c', message: 'm', details: { code: 'x' }, hint: 'h' } },
  ],
  [control, { type: 'open', id: 1, request: 2, url: 'https://a.example/' }],
  [control, { type: 'pong' }],
  [control, { type: 'dropped', logs: 1, progress: 0 }],
  [log, { type: 'log', id: 1, level: 'info', message: 'm', fields: { n: 1 } }],
  [progress, { type: 'progress', id: 1, sequence: 1, value: false }],
] as const)('a frame of kind %s is taken as it is: %j', (kind, frame) => {
  expect(read(kind, frame)).toEqual(frame);
});

test.each([
  [control, 7],
  [control, null],
  [control, []],
  [control, {}],
  [control, { type: 'done', id: -1, output: 1 }],
  [control, { type: 'done', id: 1.5, output: 1 }],
  [control, { type: 'done', id: 1 }],
  [control, { type: 'failed', id: 1, failure: 'no' }],
  [control, { type: 'failed', id: 1, failure: { code: 1, message: 'm' } }],
  [control, { type: 'ready', protocol: 1, plugin: 'p', build: 'b', capabilities: [1] }],
  [control, { type: 'ready', protocol: '1', plugin: 'p', build: 'b', capabilities: [] }],
  [control, { type: 'open', id: 1, request: 1, url: 7 }],
  [control, { type: 'dropped', logs: 'many', progress: 0 }],
  [control, { type: 'log', id: 1, level: 'info', message: 'm' }],
  [control, { type: 'progress', id: 1, sequence: 1, value: 1 }],
  [log, { type: 'done', id: 1, output: 1 }],
  [log, { type: 'log', id: 1, level: 'fatal', message: 'm' }],
  [log, { type: 'log', id: 1, level: 'info', message: { m: 1 } }],
  [progress, { type: 'progress', id: 1, sequence: 1 }],
  [progress, { type: 'progress', id: 1, value: 1 }],
  [progress, { type: 'progress', id: 1, sequence: -1, value: 1 }],
] as const)('a frame of kind %s that is none of the protocol is not taken: %j', (kind, frame) => {
  expect(read(kind, frame)).toBe(undefined);
});

test('what is not JSON is not taken', () => {
  expect(parseChildFrame(control, Buffer.from('{'))).toBe(undefined);
  expect(parseChildFrame(log, Buffer.from([0xff, 0xfe]))).toBe(undefined);
});

test('a failure loses what is too large or of the wrong type, and keeps its code and message', () => {
  const failure = { code: 'c', message: 'm', details: { text: 'x'.repeat(70_000) } };
  expect(read(control, { type: 'failed', id: 1, failure })).toEqual({
    type: 'failed',
    id: 1,
    failure: { code: 'c', message: 'm' },
  });
  const odd = { code: 'c', message: 'm', details: [], fields: [{ field: 1 }], hint: 7, stack: {} };
  expect(read(control, { type: 'failed', id: 1, failure: odd })).toMatchObject({
    failure: { code: 'c', message: 'm' },
  });
});

test('an error comes through with its code, and an unknown code is a crash', () => {
  const error = errorOf(failureOf(errorOf({ code: 'output_not_json', message: 'm', hint: 'h' })));
  expect(error).toMatchObject({ code: 'plugin.output_not_json', message: 'm', hint: 'h' });
  expect(errorOf({ code: 'toString', message: 'm' }).code).toBe('plugin.handler_crashed');
  expect(failureOf(new Error('boom'))).toMatchObject({ code: 'handler_crashed', message: 'boom' });
});
