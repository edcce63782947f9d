import { expect, it } from 'vitest';
import { sampleDispatch } from '../../../test/model/samples.js';
import { liveDispatchStates, terminalDispatchStates } from './record.js';
import { retryRequest } from './retry.js';

it('asks for the same on the same node, with a key of its own', () => {
  const record = sampleDispatch({
    state: 'failed',
    input: { text: 'x' },
    labels: { run: '42' },
    idempotencyKey: 'the old one',
    timeoutMs: 5_000,
  });
  expect(retryRequest(record, { keyIfNeeded: 'a fresh one', queue: true })).toEqual({
    retryOf: 'dp_1',
    node: 'LABNODE',
    capability: 'echo',
    input: { text: 'x' },
    labels: { run: '42' },
    timeoutMs: 5_000,
    keyIfNeeded: 'a fresh one',
    queue: true,
  });
});

it.each(liveDispatchStates)('refuses what is %s', (state) => {
  expect(() => retryRequest(sampleDispatch({ state }), { mayHaveRun: true })).toThrow(
    expect.objectContaining({ code: 'dispatch.not_ended' }),
  );
});

it.each(terminalDispatchStates)(
  'of what may not run twice and is %s, wants to be told where nobody knows',
  (state) => {
    const record = sampleDispatch({ state, repeatable: false });
    expect(retryRequest(record, { mayHaveRun: true }).retryOf).toBe('dp_1');
    if (state !== 'outcome_unknown') {
      expect(retryRequest(record, {}).retryOf).toBe('dp_1');
      return;
    }
    expect(() => retryRequest(record, {})).toThrow(
      expect.objectContaining({
        code: 'dispatch.may_have_run',
        hint: expect.stringContaining('--may-have-run'),
      }),
    );
    expect(retryRequest({ ...record, repeatable: true }, {}).retryOf).toBe('dp_1');
    expect(retryRequest({ ...record, resolution: { state: 'failed' } }, {}).retryOf).toBe('dp_1');
  },
);
