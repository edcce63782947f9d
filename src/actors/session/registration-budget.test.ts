import { expect, it } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { RegistrationBudget } from './registration-budget.js';

it('lets each device register at a steady rate, after a burst', () => {
  const clock = new SimulatedClock();
  const budget = new RegistrationBudget(clock);
  const allowed = (device: string, asked: number): number => {
    let count = 0;
    for (let i = 0; i < asked; i++) {
      try {
        budget.charge(device);
        count += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'session.busy', category: 'busy', retryable: true });
      }
    }
    return count;
  };
  expect(allowed('A', 100)).toBe(60);
  expect(allowed('B', 10)).toBe(10);
  clock.advance(3_000);
  expect(allowed('A', 100)).toBe(6);
  clock.advance(3_600_000);
  expect(allowed('A', 100)).toBe(60);
});
