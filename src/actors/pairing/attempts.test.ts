import { expect, it } from 'vitest';
import { sampleFacts, silent } from '../../../test/model/samples.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Attempts } from './attempts.js';

function make() {
  const clock = new SimulatedClock();
  const deadlines = new Deadlines(clock, silent);
  const attempts = new Attempts(deadlines, clock);
  const peer = (
    address: string,
    budgetKey = address,
    network = `${address.split('.', 3).join('.')}.0/24`,
  ) => ({
    address,
    budgetKey,
    network,
  });
  const open = (...of: Parameters<typeof peer>) => {
    const attempt = attempts.open({
      ...peer(...of),
      deviceId: 'A',
      identityKey: new Uint8Array(32),
      csrDigest: new Uint8Array(32),
      surfaceDigest: new Uint8Array(32),
      facts: sampleFacts,
      proof: { codeId: 'pc_1', check: () => ({ holds: false, confirmation: Buffer.alloc(0) }) },
    });
    attempts.bind(attempt.id, Buffer.from('t'));
    return attempt;
  };
  return { clock, deadlines, attempts, open, peer };
}

const busy = expect.objectContaining({ code: 'pairing.busy', retryable: true });

it('is one guess: taken once, with the transcript that it was bound to', () => {
  const { deadlines, attempts, open } = make();
  const attempt = open('192.0.2.1');
  expect(attempts.take(attempt.id)).toEqual({ attempt, transcript: Buffer.from('t') });
  expect(attempts.take(attempt.id)).toBeUndefined();
  expect(deadlines.size).toBe(0);
});

it('is not taken before it is bound to its exchange', () => {
  const { attempts, peer } = make();
  const attempt = attempts.open({
    ...peer('192.0.2.1'),
    deviceId: 'A',
    identityKey: new Uint8Array(32),
    csrDigest: new Uint8Array(32),
    surfaceDigest: new Uint8Array(32),
    facts: sampleFacts,
    proof: { codeId: 'pc_1', check: () => ({ holds: true, confirmation: Buffer.alloc(0) }) },
  });
  expect(attempts.take(attempt.id)).toBeUndefined();
});

it('allows four of one address and 32 in all', () => {
  const { attempts, open } = make();
  const first = open('192.0.2.1');
  for (let i = 0; i < 3; i++) open('192.0.2.1');
  expect(() => open('192.0.2.1')).toThrow(busy);
  attempts.take(first.id);
  open('192.0.2.1');
});

it('counts the addresses of one IPv6 network as one', () => {
  const { open } = make();
  for (let i = 1; i <= 4; i++) open(`2001:db8::${i}`, '2001:db8:0:0::/64', '2001:db8:0::/48');
  expect(() => open('2001:db8::5', '2001:db8:0:0::/64', '2001:db8:0::/48')).toThrow(busy);
  open('2001:db8:0:1::1', '2001:db8:0:1::/64', '2001:db8:0::/48');
});

it('ends after 30 seconds', () => {
  const { clock, attempts, open } = make();
  const attempt = open('192.0.2.1');
  clock.advance(30_000);
  expect(attempts.take(attempt.id)).toBeUndefined();
  attempts.bind(attempt.id, Buffer.from('t'));
  expect(attempts.take(attempt.id)).toBeUndefined();
});

it('lets a newcomer in when one network holds all places: its oldest attempt gives way', () => {
  const { attempts, open } = make();
  const held = Array.from({ length: 32 }, (_, i) => open(`198.51.100.${1 + (i % 8)}`));
  const mine = open('203.0.113.1');
  expect(attempts.take(held[0]?.id ?? '')).toBeUndefined();
  expect(attempts.take(mine.id)).toBeDefined();
  expect(attempts.take(held[1]?.id ?? '')).toBeDefined();
});

it('does not let the network that holds the most push its own, or others, out', () => {
  const { attempts, open } = make();
  const mine = open('203.0.113.1');
  for (let i = 0; i < 31; i++) open(`198.51.100.${1 + Math.floor(i / 4)}`);
  // Its eighth address has three, the others have four: one of those gives way, then all have four.
  open('198.51.100.8');
  expect(() => open('198.51.100.9')).not.toThrow();
  expect(attempts.take(mine.id)).toBeDefined();
});

it('shares the places of one network among its addresses', () => {
  const { attempts, open } = make();
  for (let i = 0; i < 32; i++) open(`127.0.0.${1 + (i % 8)}`);
  const mine = open('127.0.0.9');
  for (let i = 0; i < 3; i++) expect(() => open('127.0.0.9')).not.toThrow();
  // By now nobody has more than this address has, so it gets no more than its share.
  expect(() => open('127.0.0.9')).toThrow(busy);
  expect(attempts.take(mine.id)).toBeDefined();
});

it('takes 32 other networks to push a machine out', () => {
  const { attempts, open } = make();
  const mine = open('203.0.113.1');
  for (let i = 0; i < 31; i++) open(`10.0.${i}.1`);
  expect(() => open('10.0.3.2')).toThrow(busy);
  for (let i = 0; i < 31; i++) open(`10.1.${i}.1`);
  expect(attempts.take(mine.id)).toBeUndefined();
});

it('charges each Begin to its address and to all together', () => {
  const { clock, attempts, peer } = make();
  const charged = (address: string, method: 'join' | 'pin') => {
    let count = 0;
    try {
      for (; count < 10_000; count++) attempts.charge(peer(address), method);
    } catch {
      return count;
    }
    return count;
  };
  expect(charged('192.0.2.1', 'pin')).toBe(64);
  expect(charged('192.0.2.1', 'join')).toBe(2_000);
  clock.advance(1_000);
  expect(charged('192.0.2.1', 'pin')).toBe(8);
  const others = Array.from({ length: 5 }, (_, i) => charged(`198.51.100.${i}`, 'pin'));
  expect(others.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(256);
  expect(() => attempts.charge(peer('203.0.113.1'), 'pin')).toThrow(busy);
});
