import type { Readable } from 'node:stream';
import type { Clock, TimerHandle } from '../../kernel/clock.js';
import { type Bucket, type BucketLimit, holds } from '../../kernel/token-buckets.js';

/** A line longer than this is cut into several. */
const lineLimit = 8 * 1024;

/** Bytes that are read. A program that prints more waits: reading and dropping it all would cost this process its time. */
const limit: BucketLimit = { burst: 1024 * 1024, perSecond: 256 * 1024 };

/** Reads what a program prints, line by line, no faster than it may. */
export function readLines(stream: Readable, clock: Clock, line: (text: string) => void): void {
  const bucket: Bucket = { tokens: limit.burst, filledAt: clock.monotonic() };
  let rest = '';
  let timer: TimerHandle;
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (; rest.length > lineLimit; rest = rest.slice(lineLimit)) lines.push(rest.slice(0, lineLimit));
    for (const text of lines) if (text !== '') line(text.slice(0, lineLimit));
    const isEnough = holds(bucket, limit, clock.monotonic(), chunk.length);
    bucket.tokens -= chunk.length;
    if (isEnough) return;
    stream.pause();
    timer = clock.setTimeout(() => stream.resume(), (-bucket.tokens / limit.perSecond) * 1000);
  });
  stream.on('end', () => {
    if (rest !== '') line(rest);
  });
  stream.on('close', () => {
    if (timer !== undefined) clock.clearTimeout(timer);
  });
  stream.on('error', () => undefined);
}
