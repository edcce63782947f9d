import { expect, it } from 'vitest';
import { sampleFacts, silent } from '../../../test/model/samples.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Attempts } from './attempts.js';

function make() {
  const clock = new SimulatedClock();
  const deadlines = new Deadlines(clock, silent);
  const attempts = new Attempts(deadlines);
  const open = (address: string, budgetKey = address) =>
    attempts.open({
      address,
      budgetKey,
      deviceId: 'A',
      identityKey: new Uint8Array(32),
      csrDigest: new Uint8Array(32),
      surfaceDigest: new Uint8Array(32),
      facts: sampleFacts,
      codeId: 'pc_1',
    });
  return { clock, deadlines, attempts, open };
}

const busy = expect.objectContaining({ code: 'pairing.busy', retryable: true });

it('is one guess: taken once, with the transcript that it was bound to', () => {
  const { deadlines, attempts, open } = make();
  const attempt = open('192.0.2.1');
  expect(attempts.take(attempt.id)).toBeUndefined();
  attempts.bind(attempt.id, Buffer.from('t'));
  expect(attempts.take(attempt.id)).toEqual({ attempt, transcript: Buffer.from('t') });
  expect(attempts.take(attempt.id)).toBeUndefined();
  expect(deadlines.size).toBe(0);
});

it('allows four of one address and 32 in all', () => {
  const { attempts, open } = make();
  const first = open('192.0.2.1');
  for (let i = 0; i < 3; i++) open('192.0.2.1');
  expect(() => open('192.0.2.1')).toThrow(busy);
  for (let i = 0; i < 28; i++) open(`192.0.2.${10 + i}`);
  expect(() => open('192.0.2.200')).toThrow(busy);
  attempts.bind(first.id, Buffer.from('t'));
  attempts.take(first.id);
  open('192.0.2.1');
});

it('counts the addresses of one IPv6 network as one', () => {
  const { open } = make();
  for (let i = 1; i <= 4; i++) open(`2001:db8::${i}`, '2001:db8:0:0::/64');
  expect(() => open('2001:db8::5', '2001:db8:0:0::/64')).toThrow(busy);
  open('2001:db8:0:1::1', '2001:db8:0:1::/64');
});

it('ends after 30 seconds', () => {
  const { clock, attempts, open } = make();
  const attempt = open('192.0.2.1');
  attempts.bind(attempt.id, Buffer.from('t'));
  clock.advance(30_000);
  expect(attempts.take(attempt.id)).toBeUndefined();
  attempts.bind(attempt.id, Buffer.from('t'));
  expect(attempts.take(attempt.id)).toBeUndefined();
});
