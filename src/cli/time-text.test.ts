import { describe, expect, it } from 'vitest';
import { durationText, relativeTime } from './time-text.js';

describe('relativeTime', () => {
  const now = Date.UTC(2026, 0, 2);
  it.each([
    [0, 'now'],
    [-999, 'now'],
    [-12_000, '12 s ago'],
    [540_000, 'in 9 min'],
    [-59_700, '1 min ago'],
    [3_599_999, 'in 1 h'],
    [-7_200_000, '2 h ago'],
    [-5 * 86_400_000, '5 d ago'],
  ])('says %d ms from now', (distance, text) => {
    expect(relativeTime(new Date(now + distance).toISOString(), now)).toBe(text);
  });
});

describe('durationText', () => {
  it.each([
    [0.44, '0.4 ms'],
    [12.6, '13 ms'],
    [999.7, '1 s'],
    [1_449, '1.4 s'],
    [59_970, '1 min'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [86_400_000, '24 h'],
    [5_430_000, '1 h 31 min'],
  ])('says %d ms', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
