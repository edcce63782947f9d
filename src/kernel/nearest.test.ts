import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from './nearest.js';

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['ehco', 'echo', 1],
  ['timout', 'timeout', 1],
])('from %j to %j takes %d edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test('the nearest comes first, what contains the name last, strangers not at all', () => {
  const names = ['echo', 'system.health', 'system.heal', 'desktop.open_url'];
  expect(nearest('system.heath', names)).toEqual(['system.health', 'system.heal']);
  expect(nearest('open_url', names)).toEqual(['desktop.open_url']);
  expect(nearest('ECHO', names)).toEqual(['echo']);
  expect(nearest('printer', names)).toEqual([]);
  expect(didYouMean('ecko', names)).toBe("Did you mean 'echo'?");
  expect(didYouMean('printer', names)).toBeUndefined();
});

test('a very long name from a peer costs no more than a short one', () => {
  const long = 'x'.repeat(1_000_000);
  expect(editDistance(long, long.replace('x', 'y'))).toBe(1);
});
