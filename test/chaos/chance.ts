import { SeededNumbers } from '../support/seeded-numbers.js';

/** What happens when in the harness. Time is real, so a seed gives the same plan and not the same run. */
export class Chance extends SeededNumbers {
  /** A whole number of a range, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** One of the names, each as often as its weight says. */
  pick<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    const total = names.reduce((sum, name) => sum + weights[name], 0);
    let left = this.next() * total;
    const found = names.find((name) => {
      left -= weights[name];
      return left < 0;
    });
    return found ?? (names[0] as Name);
  }
}
