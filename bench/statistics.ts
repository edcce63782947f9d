/** The middle of some figures and how far they spread, in the figures' own unit. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The value below which a share of the figures lies (nearest rank).
 *
 * @param share in (0, 1]: 0.5 is the median of an odd number of figures.
 * @throws RangeError without figures.
 */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new RangeError('There are no figures');
  return value;
}

/** The mean of the two middle figures when their number is even. @throws RangeError without figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('There are no figures');
  return (lower + upper) / 2;
}

export function summarize(figures: readonly number[]): Summary {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) };
}
