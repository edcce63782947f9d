import { expect, it } from 'vitest';
import { newId } from './ids.js';
import { newestPage } from './page.js';

it('gives every item once, the newest first, in pages', () => {
  const items = Array.from({ length: 25 }, (_, i) => ({ id: newId('pr', 1_700_000_000_000 + i) }));
  const seen: string[] = [];
  let cursor: string | undefined;
  const sizes: number[] = [];
  do {
    const { page, next } = newestPage(items, { limit: 10, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.map(({ id }) => id));
    sizes.push(page.length);
    cursor = next;
  } while (cursor !== undefined);
  expect(seen).toEqual(items.map(({ id }) => id).reverse());
  expect(sizes).toEqual([10, 10, 5]);
  expect(newestPage([], {})).toEqual({ page: [] });
  expect(newestPage(items.slice(0, 10), { limit: 10 }).next).toBeUndefined();
});
