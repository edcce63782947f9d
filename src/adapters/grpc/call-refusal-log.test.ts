import { expect, it } from 'vitest';
import { sessionError } from '../../actors/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { callRefusalLog } from './call-refusal-log.js';

it('writes the same refusal of the same peer once in ten seconds, with their number', () => {
  const lines: object[] = [];
  const write = (fields: object): void => {
    lines.push(fields);
  };
  const log: KernelLog = { debug: write, info: write, warn: write, error: write };
  const clock = new SimulatedClock();
  const refused = callRefusalLog(log, 'info', clock);
  const call = { rpc: 'Begin', peer: '192.0.2.1', err: sessionError('protocol', 'wrong') };
  for (let i = 0; i < 1_000; i++) refused(call, 'refused');
  refused({ ...call, peer: '192.0.2.2' }, 'refused');
  expect(lines).toHaveLength(2);
  clock.advance(10_000);
  refused(call, 'refused');
  expect(lines.at(-1)).toMatchObject({ sinceThen: 999, peer: '192.0.2.1' });
});
