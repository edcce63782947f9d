import { expect, it } from 'vitest';
import { sampleOrder } from '../../../test/model/samples.js';
import { Outbound } from './outbound.js';

function make(window: number) {
  const sent: string[] = [];
  const outbound = new Outbound(window, (order) => sent.push(order.dispatchId));
  const offer = (...ids: string[]): void => {
    for (const dispatchId of ids) outbound.offer(sampleOrder({ dispatchId }));
  };
  return { sent, outbound, offer };
}

it('keeps at most a window at the node and the order of the rest', () => {
  const { sent, outbound, offer } = make(2);
  offer('a', 'b', 'c', 'd');
  expect(sent).toEqual(['a', 'b']);
  expect(outbound.unfinished()).toEqual(['c', 'd', 'a', 'b']);
  outbound.finished('b');
  expect(sent).toEqual(['a', 'b', 'c']);
  offer('e');
  outbound.finished('a');
  outbound.finished('c');
  expect(sent).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(outbound.inFlight).toBe(2);
});

it('gives no credit for an end that it did not wait for', () => {
  const { sent, outbound, offer } = make(1);
  offer('a', 'b');
  outbound.finished('unknown');
  outbound.finished('b');
  expect(sent).toEqual(['a']);
  outbound.finished('a');
  outbound.finished('a');
  expect(sent).toEqual(['a', 'b']);
  expect(outbound.inFlight).toBe(1);
});

it('takes back what waits, but not what was sent', () => {
  const { sent, outbound, offer } = make(1);
  offer('a', 'b', 'c');
  outbound.withdraw('b');
  outbound.withdraw('a');
  expect(outbound.inFlight).toBe(1);
  outbound.finished('a');
  expect(sent).toEqual(['a', 'c']);
});

it('counts work of an earlier session against the window', () => {
  const { sent, outbound, offer } = make(1);
  outbound.adopt('old');
  offer('a');
  expect(sent).toEqual([]);
  outbound.finished('old');
  expect(sent).toEqual(['a']);
});
