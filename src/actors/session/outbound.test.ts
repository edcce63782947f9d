import { describe, expect, it } from 'vitest';
import { sampleOrder } from '../../../test/model/samples.js';
import { Outbound } from './outbound.js';

function make(window: number, { bytes = 1_000, concurrency = 100 } = {}) {
  const sent: string[] = [];
  const outbound = new Outbound({ window, bytes, concurrencyOf: () => concurrency }, (order) =>
    sent.push(order.dispatchId),
  );
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

it('counts once what a node says that it has and is sent all the same', () => {
  const { sent, outbound, offer } = make(9, { concurrency: 2 });
  outbound.adopt('a', sampleOrder().capability);
  offer('a', 'b', 'c');
  expect(sent).toEqual(['a', 'b']);
  for (const id of ['a', 'b', 'c']) outbound.finished(id);
  offer('d', 'e');
  expect(sent).toEqual(['a', 'b', 'c', 'd', 'e']);
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
  outbound.adopt('old', 'echo');
  offer('a');
  expect(sent).toEqual([]);
  outbound.finished('old');
  expect(sent).toEqual(['a']);
});

describe('of each capability', () => {
  const order = (capability: string, dispatchId: string) => sampleOrder({ capability, dispatchId });

  it('sends no more than may run at once, so that a slow one holds up nothing else', () => {
    const { sent, outbound } = make(4, { concurrency: 2 });
    for (const id of ['s1', 's2', 's3', 's4']) outbound.offer(order('slow', id));
    expect(sent).toEqual(['s1', 's2']);
    expect(outbound.hasRoom(order('slow', 'x'))).toBe(false);
    expect(outbound.hasRoom(order('quick', 'x'))).toBe(true);
    outbound.offer(order('quick', 'q1'));
    outbound.offer(order('quick', 'q2'));
    expect(sent).toEqual(['s1', 's2', 'q1', 'q2']);
    outbound.finished('q1');
    expect(sent).toHaveLength(4);
    outbound.finished('s2');
    expect(sent.slice(4)).toEqual(['s3']);
    expect(outbound.unfinished()).toEqual(['s4', 's1', 'q2', 's3']);
  });

  it('keeps the order of arrival among those that may run', () => {
    const { sent, outbound } = make(1, { concurrency: 1 });
    outbound.offer(order('a', 'a1'));
    outbound.offer(order('b', 'b1'));
    outbound.offer(order('a', 'a2'));
    outbound.offer(order('b', 'b2'));
    for (const id of ['a1', 'b1', 'a2']) outbound.finished(id);
    expect(sent).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('counts work of an earlier session, and not what a person at the node is asked about', () => {
    const { sent, outbound } = make(4, { concurrency: 1 });
    outbound.adopt('old', 'open');
    outbound.offer(order('open', 'o1'));
    outbound.offer(order('open', 'o2'));
    expect(sent).toEqual([]);
    outbound.asked('old', true);
    outbound.asked('old', true);
    expect(sent).toEqual(['o1']);
    outbound.asked('old', false);
    outbound.finished('o1');
    expect(sent).toEqual(['o1']);
    outbound.finished('old');
    expect(sent).toEqual(['o1', 'o2']);
    outbound.asked('o2', true);
    outbound.finished('o2');
    outbound.offer(order('open', 'o3'));
    expect(sent).toEqual(['o1', 'o2', 'o3']);
  });
});

describe('inputs', () => {
  const order = (dispatchId: string, bytes: number) =>
    sampleOrder({ dispatchId, input: Buffer.alloc(bytes) });

  it('are at the node up to a number of bytes, and a large one is not overtaken', () => {
    const { sent, outbound } = make(10, { bytes: 100 });
    outbound.offer(order('a', 60));
    outbound.offer(order('large', 60));
    outbound.offer(order('small', 1));
    expect(sent).toEqual(['a']);
    expect(outbound.hasRoom(order('x', 1))).toBe(false);
    outbound.finished('a');
    expect(sent).toEqual(['a', 'large', 'small']);
  });

  it('of any size may go alone', () => {
    const { sent, outbound } = make(10, { bytes: 100 });
    outbound.offer(order('huge', 500));
    outbound.offer(order('next', 500));
    expect(sent).toEqual(['huge']);
    outbound.withdraw('next');
    outbound.finished('huge');
    expect(outbound.hasRoom(order('x', 500))).toBe(true);
  });
});
