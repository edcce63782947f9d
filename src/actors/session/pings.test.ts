import { expect, it } from 'vitest';
import { silent } from '../../../test/model/samples.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Pings } from './pings.js';

function world(isThere = true) {
  const clock = new SimulatedClock();
  const deadlines = new Deadlines(clock, silent);
  const sent: (readonly [string, number])[] = [];
  const pings = new Pings(deadlines, (deviceId, number) => {
    sent.push([deviceId, number]);
    return isThere;
  });
  return { clock, deadlines, sent, pings };
}

it('says that a host answers which answers with the right number, and for the right device', async () => {
  const { sent, pings, deadlines } = world();
  const first = pings.answers('A');
  const second = pings.answers('A');
  expect(sent).toEqual([
    ['A', 1],
    ['A', 2],
  ]);
  pings.pong('B', 1);
  pings.pong('A', 9);
  expect(deadlines.size).toBe(2);
  pings.pong('A', 2);
  pings.pong('A', 1);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(deadlines.size).toBe(0);
});

it('says that it does not after two seconds, at its end, and when there is no session', async () => {
  const { clock, pings, deadlines } = world();
  const silence = pings.answers('A');
  clock.advance(2_000);
  expect(await silence).toBe(false);
  pings.pong('A', 1);
  const over = pings.answers('A');
  const other = pings.answers('B');
  pings.ended('A');
  expect(await over).toBe(false);
  pings.pong('B', 3);
  expect(await other).toBe(true);
  expect(await world(false).pings.answers('A')).toBe(false);
  expect(deadlines.size).toBe(0);
});
