/** Units of time, each with how many of it make one of the next. */
const units = [
  { name: 's', ms: 1_000, next: 60 },
  { name: 'min', ms: 60_000, next: 60 },
  { name: 'h', ms: 3_600_000, next: 24 },
  { name: 'd', ms: 86_400_000, next: Number.POSITIVE_INFINITY },
] as const;

/**
 * A time as a person says it: `12 s ago`, `in 9 min`, `now`.
 *
 * @param time RFC 3339
 * @param now milliseconds since the epoch
 */
export function relativeTime(time: string, now: number): string {
  const distance = Date.parse(time) - now;
  const size = Math.abs(distance);
  const unit = size < 1_000 ? undefined : units.find(({ ms, next }) => Math.round(size / ms) < next);
  if (unit === undefined) return 'now';
  const text = `${Math.round(size / unit.ms)} ${unit.name}`;
  return distance < 0 ? `${text} ago` : `in ${text}`;
}

/** A span of milliseconds as a person says it: `0.4 ms`, `12 ms`, `1.4 s`, `3 min 20 s`, `24 h`. */
export function durationText(ms: number): string {
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 3_600 ? inTwo(seconds, 60, 'min', 's') : inTwo(Math.round(seconds / 60), 60, 'h', 'min');
}

function inTwo(count: number, size: number, large: string, small: string): string {
  const rest = count % size;
  return `${Math.floor(count / size)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}
