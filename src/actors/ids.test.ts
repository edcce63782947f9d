import { expect, it } from 'vitest';
import { idPattern, newId } from './ids.js';

it('makes ids that sort by time, differ, and match their pattern', () => {
  const times = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, Date.UTC(2999, 0, 1)];
  const ids = times.map((now) => newId('dp', now));
  expect([...ids].sort()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(idPattern('dp'));
  const many = new Set(Array.from({ length: 5_000 }, () => newId('pc', 5)));
  expect(many.size).toBe(5_000);
  for (const id of many) expect(id).toMatch(idPattern('pc'));
});

it('matches nothing else', () => {
  const id = newId('dp', 5);
  for (const wrong of [
    `${id}0`,
    id.slice(0, -1),
    ` ${id}`,
    `${id}\n`,
    id.toUpperCase(),
    id.replace('dp', 'pr'),
    `${id.slice(0, -1)}u`,
  ]) {
    expect(wrong).not.toMatch(idPattern('dp'));
  }
});
