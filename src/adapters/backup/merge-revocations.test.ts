import { expect, test } from 'vitest';
import type { Revocation } from '../../actors/device/revocations.js';
import { mergeRevocations } from './merge-revocations.js';

const decide = (deviceId: string, action: Revocation['action'], at: number): Revocation => ({
  deviceId,
  action,
  at,
  by: 'operator:ada',
  reason: '',
});
const a = decide('A', 'revoke', 1);
const b = decide('B', 'ban', 2);
const c = decide('C', 'remove', 3);
const liftA = decide('A', 'lift', 4);

test('what was decided since the backup is added, and the file goes on where the backup ends', () => {
  expect(mergeRevocations([a], [a, b, c])).toEqual({ revocations: [a, b, c], added: 2, isContinued: true });
  expect(mergeRevocations([], [])).toEqual({ revocations: [], added: 0, isContinued: true });
  expect(mergeRevocations([a], [a, liftA]).revocations).toEqual([a, liftA]);
});

test('a file that ends before the backup does not count as complete, and nothing of the backup is lost', () => {
  expect(mergeRevocations([a, b], [a])).toEqual({ revocations: [a, b], added: 0, isContinued: false });
  expect(mergeRevocations([a, b], [])).toEqual({ revocations: [a, b], added: 0, isContinued: false });
});

test('of two that went different ways both count, by time', () => {
  expect(mergeRevocations([a, c], [a, b])).toEqual({ revocations: [a, b, c], added: 1, isContinued: false });
});

test('whom one of two that went different ways bars is barred, also when the other lifted that later', () => {
  const { revocations } = mergeRevocations([a, c], [liftA, b]);
  expect(revocations.findLast(({ deviceId }) => deviceId === 'A')).toEqual(a);
  const lifted = mergeRevocations([a, liftA], [a, b]).revocations;
  expect(lifted.findLast(({ deviceId }) => deviceId === 'A')?.action).toBe('revoke');
});
