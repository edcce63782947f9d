import { expect, test } from 'vitest';
import { whoElseWrites } from './path-safety.js';

const self = { uid: 1000, gid: 1000 };

test.each([
  [{ uid: 1000, gid: 1000, mode: 0o100644 }, undefined],
  [{ uid: 0, gid: 0, mode: 0o100644 }, undefined],
  [{ uid: 1000, gid: 1000, mode: 0o40775 }, undefined],
  [{ uid: 1000, gid: 100, mode: 0o40775 }, 'may be written by its group (gid 100)'],
  [{ uid: 0, gid: 0, mode: 0o40775 }, 'may be written by its group (gid 0)'],
  [{ uid: 1000, gid: 1000, mode: 0o100646 }, 'may be written by everybody'],
  [{ uid: 1000, gid: 1000, mode: 0o41777 }, 'may be written by everybody'],
  [{ uid: 1001, gid: 1000, mode: 0o100600 }, 'belongs to another account (uid 1001)'],
])('%j: %s', (facts, who) => {
  expect(whoElseWrites(facts, self)).toBe(who);
});

test("root's own group is nobody's private one", () => {
  const root = { uid: 0, gid: 0 };
  expect(whoElseWrites({ uid: 0, gid: 0, mode: 0o40775 }, root)).toBe('may be written by its group (gid 0)');
});
