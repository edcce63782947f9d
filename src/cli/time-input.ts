import { parseDuration } from '../kernel/duration.js';
import { cliError } from './cli-errors.js';

const dated = /^\d{4}-\d{2}-\d{2}(?:T|$)/;

/**
 * A time as a person gives it: how long ago, or a date with or without its time, which is UTC where nothing else is said.
 *
 * @param flag the option that it belongs to, for the error
 * @param now milliseconds since the epoch
 * @returns RFC 3339 in UTC
 * @throws AppError `cli.usage`, `duration.invalid`
 * @example timeInput('2h', '--since', now) // two hours before now
 */
export function timeInput(text: string, flag: string, now: number): string {
  if (!dated.test(text)) return new Date(Math.max(0, now - parseDuration(text, flag))).toISOString();
  const zoned = !text.includes('T') || /(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`;
  const time = Date.parse(zoned);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw cliError('usage', `${flag}: '${text}' is not a time`, {
    hint: 'Say how long ago, as 2h or 7d, or give a time: 2026-01-31 or 2026-01-31T08:00:00Z',
    fields: [{ field: flag, message: 'is not a time' }],
  });
}
