import { describe, expect, it } from 'vitest';
import {
  type AuthorityRecord,
  borneOut,
  closed,
  firstRecord,
  rotated,
  standingOf,
  without,
} from './record.js';

const now = 2_000;
const overlapMs = 500;
const rotation = { by: 'operator:ada', reason: 'it is time', startedAt: 1_000, endsAt: 9_000 };
const states = ({ cas }: AuthorityRecord) => cas.map(({ fingerprint, state }) => `${fingerprint} ${state}`);
const overlap = rotated(firstRecord(['a'], 0), 'b', rotation);

describe('the way from one CA to the next', () => {
  it('lets the new one issue at once, and retires the old one at the end', () => {
    expect(states(overlap)).toEqual(['a trusted', 'b issuing']);
    expect(standingOf(overlap)).toEqual({ issuing: 'b', trusted: ['b', 'a'], serving: 'a' });
    const end = closed(overlap, now);
    expect([states(end), end.state, end.rotation]).toEqual([['a retired', 'b issuing'], 'steady', undefined]);
    expect(standingOf(end)).toEqual({ issuing: 'b', trusted: ['b'], serving: 'b' });
    expect(states(without(end, 'a', now))).toEqual(['b issuing']);
  });
});

describe('what the disk bears out', () => {
  it('is the record itself when the disk has those CAs', () => {
    for (const record of [firstRecord(['a'], 0), overlap, closed(overlap, now)]) {
      const onDisk = record.cas.map(({ fingerprint }) => fingerprint);
      expect(borneOut(record, onDisk, now, overlapMs)).toBe(record);
    }
  });

  it('is a rotation under way when the disk has one more', () => {
    const next = borneOut(firstRecord(['a'], 0), ['a', 'b'], now, overlapMs);
    expect([states(next), next.state]).toEqual([['a trusted', 'b issuing'], 'overlap']);
    expect(next.rotation).toMatchObject({ by: 'system:daemon', startedAt: now, endsAt: now + overlapMs });
  });

  it('is a rotation to the newest when the database is of long ago', () => {
    const next = borneOut(firstRecord(['a'], 0), ['a', 'b', 'c'], now, overlapMs);
    expect(states(next)).toEqual(['a trusted', 'b trusted', 'c issuing']);
    expect(standingOf(next)).toEqual({ issuing: 'c', trusted: ['c', 'a', 'b'], serving: 'b' });
  });

  it('is nothing of a CA that is gone, and the newest of the others issues', () => {
    const end = closed(overlap, now);
    expect(states(borneOut(end, ['b'], now, overlapMs))).toEqual(['b issuing']);
    expect(states(borneOut(end, ['a'], now, overlapMs))).toEqual(['a issuing']);
    expect(states(borneOut(end, ['c'], now, overlapMs))).toEqual(['c issuing']);
  });
});
