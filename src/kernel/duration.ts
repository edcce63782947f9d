import { errorTable } from './errors.js';

const durationError = errorTable('duration', { invalid: { category: 'validation', retryable: false } });

/** Milliseconds per unit, the largest first. */
const units = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** What a duration looks like, as a JSON Schema `pattern`. */
export const durationPattern = '^[0-9]{1,12}(ms|s|m|h|d)$';

const shape = /^([0-9]{1,12})(ms|s|m|h|d)$/;

/**
 * Reads a duration: a whole number and a unit, `ms`, `s`, `m`, `h` or `d`. Returns milliseconds.
 *
 * @param field what the text belongs to (an option, a JSON pointer); named in the error
 * @throws AppError `duration.invalid` when the text is no duration, or is too long to count in milliseconds
 * @example parseDuration('30s') // 30000
 */
export function parseDuration(text: string, field = 'duration'): number {
  const parts = shape.exec(text);
  const ms = parts === null ? Number.NaN : Number(parts[1]) * (units.get(parts[2] ?? '') ?? Number.NaN);
  if (Number.isSafeInteger(ms)) return ms;
  const message = `${field}: '${text.slice(0, 40)}' is not a duration`;
  throw durationError('invalid', message, {
    hint: 'Write a whole number and a unit: 500ms, 30s, 10m, 24h or 7d',
    fields: [{ field, message: 'is not a duration' }],
  });
}

/**
 * Writes a duration in the largest unit that keeps it exact, so that {@link parseDuration} reads the same number back.
 *
 * @param ms milliseconds, a whole number from 0
 * @throws AppError `duration.invalid` for anything else
 * @example formatDuration(90_000) // '90s'
 */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw durationError('invalid', `${ms} is not a whole number of milliseconds from 0`);
  }
  if (ms === 0) return '0s';
  for (const [unit, size] of units) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
