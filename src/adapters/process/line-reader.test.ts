import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { readLines } from './line-reader.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function reader() {
  const clock = new SimulatedClock();
  const stream = new PassThrough({ highWaterMark: 8 * 1024 * 1024 });
  const lines: string[] = [];
  readLines(stream, clock, (line) => lines.push(line));
  return { clock, stream, lines };
}

test('lines come whole, the last one too when the program ends', async () => {
  const { stream, lines } = reader();
  stream.write('first\nsec');
  stream.write('ond\n\nlast');
  stream.end();
  await turn();
  await turn();
  expect(lines).toEqual(['first', 'second', 'last']);
});

test('a line without end is cut', async () => {
  const { stream, lines } = reader();
  stream.write('x'.repeat(20_000));
  await turn();
  expect(lines.map(({ length }) => length)).toEqual([8_192, 8_192]);
});

test('who prints more than may be waits', async () => {
  const { clock, stream, lines } = reader();
  const line = `${'x'.repeat(1_023)}\n`;
  for (let n = 0; n < 2_048; n++) stream.write(line);
  await turn();
  const first = lines.length;
  expect(first).toBeGreaterThanOrEqual(1_024);
  expect(stream.isPaused()).toBe(true);
  await clock.advanceAsync(30_000);
  await turn();
  expect(lines).toHaveLength(2_048);
  stream.destroy();
  await turn();
  expect(clock.timers).toBe(0);
});
