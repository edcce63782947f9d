import { SeededNumbers } from '../../support/seeded-numbers.js';

/** Numbers that a seed decides: each machine has its own, so that what it draws does not depend on which thread was faster. */
export class Random extends SeededNumbers {
  /** A whole number. */
  between(low: number, high: number): number {
    return Math.round(low + this.next() * (high - low));
  }

  /** A whole number: the time to something that happens once in `mean`, as often at any moment. */
  wait(mean: number): number {
    return Math.round(-Math.log(1 - this.next()) * mean);
  }
}
