import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.js';
import { followLog, readLog } from './log-reader.js';
import { RotatingLog } from './rotating-log.js';

const limits = { fileBytes: 1_000, files: 3, fileMs: 86_400_000, keptMs: 10 * 86_400_000 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (at: number, more = ''): string =>
  JSON.stringify({ time: new Date(1_800_000_000_000 + at * 1_000).toISOString(), at, more });
const numbers = (lines: readonly string[]): number[] => lines.map((text) => JSON.parse(text).at);
const clockAt = (now: () => number) => ({ ...systemClock, now });

describe('a log that rotates', () => {
  it('is bounded in all, however much is written, in files that only their owner reads', () => {
    const log = new RotatingLog(folder, systemClock, limits);
    for (let at = 0; at < 500; at++) log.write(line(at));
    log.close();
    expect(readdirSync(folder).sort()).toEqual(['node.1.log', 'node.2.log', 'node.log']);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1_000);
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    const { lines } = readLog(folder, { last: 10_000 });
    const kept = numbers(lines);
    expect(kept.at(-1)).toBe(499);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 500 - kept.length + i));
  });

  it('goes on where the host before it ended', () => {
    for (const at of [1, 2]) {
      const log = new RotatingLog(folder, systemClock, limits);
      log.write(line(at));
      log.close();
    }
    expect(numbers(readLog(folder, { last: 10 }).lines)).toEqual([1, 2]);
  });

  it('begins a file for each day, and forgets what is too old', () => {
    let now = Date.now();
    const log = new RotatingLog(
      folder,
      clockAt(() => now),
      limits,
    );
    log.write(line(1));
    now += limits.fileMs + 1_000;
    log.write(line(2));
    expect(numbers(readFileSync(join(folder, 'node.1.log'), 'utf8').trim().split('\n'))).toEqual([1]);
    expect(numbers(readLog(folder, { last: 10 }).lines)).toEqual([1, 2]);
    log.close();
    const long = (now - limits.keptMs - 60_000) / 1_000;
    utimesSync(join(folder, 'node.1.log'), long, long);
    new RotatingLog(
      folder,
      clockAt(() => now),
      limits,
    ).close();
    expect(readdirSync(folder)).toEqual(['node.log']);
  });

  it('has no line that is longer than may be, and says so', () => {
    const log = new RotatingLog(folder, systemClock, { ...limits, fileBytes: 1_000_000 });
    log.write(line(1, 'x'.repeat(70_000)));
    log.write(line(2));
    log.close();
    const { lines } = readLog(folder, { last: 10 });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('was left out');
  });

  it('stops nobody when the disk takes nothing, and says how much was lost', () => {
    const place = join(folder, 'logs');
    writeFileSync(place, '');
    const log = new RotatingLog(place, systemClock, limits);
    log.write(line(1));
    log.write(line(2));
    rmSync(place);
    mkdirSync(place);
    log.write(line(3));
    log.close();
    const { lines } = readLog(place, { last: 10 });
    expect(JSON.parse(lines[0] ?? '').at).toBe(3);
    expect(lines[1]).toContain('2 lines could not be written');
  });

  it('outlives the loss of its folder', () => {
    const log = new RotatingLog(join(folder, 'gone'), systemClock, limits);
    rmSync(join(folder, 'gone'), { recursive: true });
    for (let at = 0; at < 50; at++) log.write(line(at));
    log.close();
  });
});

describe('reading a log', () => {
  it('has the latest lines, those since a time, or none', () => {
    const log = new RotatingLog(folder, systemClock, limits);
    for (let at = 0; at < 30; at++) log.write(line(at));
    log.write('not json');
    log.close();
    expect(numbers(readLog(folder, { last: 3 }).lines.slice(0, 2))).toEqual([28, 29]);
    const since = 1_800_000_000_000 + 27_000;
    expect(numbers(readLog(folder, { last: 100, since }).lines)).toEqual([27, 28, 29]);
    expect(readLog(folder, { last: 0 }).lines).toEqual([]);
    expect(readLog(join(folder, 'nowhere'), { last: 10 })).toEqual({ lines: [], place: undefined });
  });
});

describe('following a log', () => {
  it('has each line once, through rotations and from before the first', async () => {
    const over = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const text of followLog(folder, undefined, { clock: systemClock, signal: over.signal })) {
        seen.push(JSON.parse(text).at);
      }
    })();
    const log = new RotatingLog(folder, systemClock, limits);
    for (let at = 0; at < 60; at++) {
      log.write(line(at));
      // As often as it looks, more or less: no file is deleted before it was seen.
      if (at % 15 === 14) await expect.poll(() => seen.at(-1), { interval: 20 }).toBe(at);
    }
    log.close();
    over.abort();
    await following;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, at) => at));
  });

  it('goes on where reading has ended, although the file has another name by then', async () => {
    const log = new RotatingLog(folder, systemClock, limits);
    for (let at = 0; at < 5; at++) log.write(line(at));
    const { place } = readLog(folder, { last: 1 });
    for (let at = 5; at < 20; at++) log.write(line(at));
    expect(readdirSync(folder)).toContain('node.1.log');
    const over = new AbortController();
    const seen: number[] = [];
    for await (const text of followLog(folder, place, { clock: systemClock, signal: over.signal })) {
      seen.push(JSON.parse(text).at);
      if (seen.length === 15) over.abort();
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, at) => at + 5));
    log.close();
  });
});
