import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import {
  type Admission,
  ConnectionBudget,
  type ConnectionLimits,
  defaultConnectionLimits,
} from './connection-budget.js';
import { budgetKeyOf } from './peer-address.js';

const limits: ConnectionLimits = {
  perIpv4: { burst: 3, perSecond: 1 },
  perIpv6Prefix: { burst: 2, perSecond: 0.5 },
  total: { burst: 10, perSecond: 2 },
  handshakes: 100,
  handshakesPerAddress: 100,
  tableSize: 4,
};

function budgetWith(changed: Partial<ConnectionLimits> = {}) {
  const clock = new SimulatedClock();
  const budget = new ConnectionBudget(clock, { ...limits, ...changed });
  const admit = (address: string) => outcome(budget.admit(address));
  return { clock, budget, admit };
}

const outcome = (admission: Admission) => (admission.admitted ? 'in' : admission.limit);

describe('the budget', () => {
  test('lets a burst in per address, then as many as the rate gives', () => {
    const { clock, admit } = budgetWith();
    expect([1, 2, 3, 4].map(() => admit('192.0.2.1'))).toEqual(['in', 'in', 'in', 'address']);
    expect(admit('192.0.2.2')).toBe('in');
    clock.advance(999);
    expect(admit('192.0.2.1')).toBe('address');
    clock.advance(1);
    expect([admit('192.0.2.1'), admit('192.0.2.1')]).toEqual(['in', 'address']);
    clock.advance(3_600_000);
    expect([1, 2, 3, 4].map(() => admit('192.0.2.1'))).toEqual(['in', 'in', 'in', 'address']);
  });

  test('takes a /64 as one address, and an IPv4 address the same over either socket', () => {
    const { admit } = budgetWith();
    expect(['2001:db8::1', '2001:db8::ffff:2', '2001:db8::3'].map(admit)).toEqual(['in', 'in', 'address']);
    expect(admit('2001:db8:0:1::1')).toBe('in');
    expect(['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1', '::ffff:192.0.2.1'].map(admit).at(-1)).toBe(
      'address',
    );
  });

  test('has a limit for all together, and a refused connection takes nothing from it', () => {
    const { clock, admit } = budgetWith({ tableSize: 100 });
    for (let at = 0; at < 50; at++) admit('192.0.2.1');
    const others = Array.from({ length: 8 }, (_, at) => admit(`198.51.100.${at}`));
    expect(others).toEqual([...Array(7).fill('in'), 'total']);
    clock.advance(500);
    expect([admit('198.51.100.7'), admit('198.51.100.8')]).toEqual(['in', 'total']);
  });

  test('counts handshakes in progress until they are released, once', () => {
    const { budget } = budgetWith({ handshakes: 3, handshakesPerAddress: 2 });
    const first = budget.admit('192.0.2.1');
    budget.admit('192.0.2.1');
    expect(outcome(budget.admit('192.0.2.1'))).toBe('handshakes');
    budget.admit('192.0.2.2');
    expect(outcome(budget.admit('192.0.2.3'))).toBe('handshakes');
    if (!first.admitted) throw new Error('the first was refused');
    first.release();
    first.release();
    expect(outcome(budget.admit('192.0.2.1'))).toBe('in');
    expect(outcome(budget.admit('192.0.2.3'))).toBe('handshakes');
  });

  test('remembers a bounded number of addresses, the latest', () => {
    const { budget, admit } = budgetWith({ total: { burst: 1e6, perSecond: 1 }, handshakes: 1e6 });
    for (let at = 0; at < 1000; at++) admit(`10.0.${at >> 8}.${at & 255}`);
    expect(budget.size).toBe(4);
    for (let at = 0; at < 3; at++) admit('10.0.3.231');
    expect(admit('10.0.3.231')).toBe('address');
  });

  test('the defaults take 1,000 nodes from one address at once, and 2,000 from several', () => {
    const budget = new ConnectionBudget(new SimulatedClock(), defaultConnectionLimits);
    const nodes = Array.from({ length: 2000 }, (_, at) => outcome(budget.admit(`127.0.0.${at % 2}`)));
    expect(nodes.every((answer) => answer === 'in')).toBe(true);
    expect(outcome(budget.admit('127.0.0.9'))).not.toBe('in');
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1', 4, '192.0.2.0/24'],
  ['::ffff:192.0.2.1', '192.0.2.1', 4, '192.0.2.0/24'],
  ['::1', '0:0:0:0::/64', 6, '0:0:0::/48'],
  ['::', '0:0:0:0::/64', 6, '0:0:0::/48'],
  ['2001:db8::1', '2001:db8:0:0::/64', 6, '2001:db8:0::/48'],
  ['2001:0db8:0000:0001::1', '2001:db8:0:1::/64', 6, '2001:db8:0::/48'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', 6, '2001:db8:1::/48'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64', 6, '1:2:3::/48'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64', 6, '64:ff9b:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64', 6, 'fe80:0:0::/48'],
] as const)('%s is kept as %s', (address, key, family, network) => {
  expect(budgetKeyOf(address)).toEqual({ key, family, network });
});
