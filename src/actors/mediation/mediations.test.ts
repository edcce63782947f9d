import { afterEach, beforeEach, expect, it } from 'vitest';
import { AskingNode } from '../../../test/support/asking-node.js';

let node: AskingNode;
const here = 'https://example.com';
const elsewhere = 'https://example.org';
const yes = { answer: 'allow' } as const;
const remember = { answer: 'allow', rememberMs: 3_600_000 } as const;

beforeEach(async () => {
  node = new AskingNode();
  await node.start();
});
afterEach(() => node.stop());

const onScreen = () => node.open().map(({ request }) => request.dispatchId);
const ranIds = () => node.ran.map(({ order }) => order.dispatchId);

it('shows one question at a time, in the order in which they came, each with the time that is left of it', async () => {
  await node.order('dp_1', here);
  await node.advance(30_000);
  await node.order('dp_2', elsewhere);
  await node.order('dp_3', here);
  expect(onScreen()).toEqual(['dp_1']);
  await node.advance(10_000);
  await node.say(yes);
  expect(onScreen()).toEqual(['dp_2']);
  expect(node.open()[0]?.request.timeoutMs).toBe(110_000);
  await node.say({ answer: 'deny' });
  expect(onScreen()).toEqual(['dp_3']);
  expect(ranIds()).toEqual(['dp_1']);
});

it('shows several at a time to whoever has room for them', async () => {
  node.stop();
  node = new AskingNode(2);
  await node.start();
  for (const id of ['dp_1', 'dp_2', 'dp_3']) await node.order(id, here);
  expect(onScreen()).toEqual(['dp_1', 'dp_2']);
  node.open()[1]?.answer(yes);
  await node.settle();
  expect(onScreen()).toEqual(['dp_1', 'dp_3']);
  expect(ranIds()).toEqual(['dp_2']);
});

it('spares the questions behind one that was answered for a while, and of those only the same', async () => {
  for (const [id, site] of Object.entries({ dp_1: here, dp_2: here, dp_3: elsewhere, dp_4: here })) {
    await node.order(id, site);
  }
  await node.say(remember);
  expect(ranIds()).toEqual(['dp_1', 'dp_2']);
  expect(onScreen()).toEqual(['dp_3']);
  await node.say({ answer: 'deny' });
  expect(ranIds()).toEqual(['dp_1', 'dp_2', 'dp_4']);
  expect(node.results.map(({ allowed }) => allowed?.by)).toEqual([
    'person',
    'remembered',
    undefined,
    'remembered',
  ]);
});

it('does not let what is remembered wait behind a question', async () => {
  await node.order('dp_1', here);
  await node.say(remember);
  await node.order('dp_2', elsewhere);
  await node.order('dp_3', here);
  expect(ranIds()).toEqual(['dp_1', 'dp_3']);
});

it('ends questions in line at their limit too, and tells silence from a no', async () => {
  await node.order('dp_1', here);
  await node.advance(60_000);
  await node.order('dp_2', here, { mediationTimeoutMs: 30_000 });
  await node.advance(30_000);
  expect(node.results).toMatchObject([{ dispatchId: 'dp_2', reason: 'mediation_timeout', started: false }]);
  await node.advance(30_000);
  expect(node.results[1]).toMatchObject({ dispatchId: 'dp_1', reason: 'mediation_timeout' });
  expect(onScreen()).toEqual([]);
  await node.order('dp_3', here, { latestEndMs: node.clock.now() + 5_000 });
  expect(node.open()[0]?.request.timeoutMs).toBe(5_000);
  await node.say({ answer: 'deny' });
  expect(node.results[2]).toMatchObject({ reason: 'mediation_denied' });
  expect(node.results[2]?.error?.message).toBe('The person at the node denied it');
  expect(node.ran).toEqual([]);
});

it('takes back what is cancelled, on the screen and in line, and shows the next', async () => {
  for (const id of ['dp_1', 'dp_2', 'dp_3']) await node.order(id, here);
  await node.cancel('dp_2');
  const [first] = node.open();
  await node.cancel('dp_1');
  expect(onScreen()).toEqual(['dp_3']);
  // A key that was pressed in that moment.
  first?.answer(yes);
  await node.settle();
  expect(node.results).toMatchObject([{ outcome: 'cancelled' }, { outcome: 'cancelled' }]);
  expect(node.decisions).toEqual(['withdrawn', 'withdrawn']);
  await node.say(yes);
  expect(ranIds()).toEqual(['dp_3']);
});

it('lets nothing run when a question breaks down, and goes on with the next', async () => {
  await node.order('dp_1', here);
  await node.order('dp_2', here);
  await node.breakDown('dp_1');
  expect(node.results).toMatchObject([{ dispatchId: 'dp_1', reason: 'mediation_denied' }]);
  expect(node.results[0]?.error?.message).toContain('Nobody at the node could be asked');
  expect(onScreen()).toEqual(['dp_2']);
});

it('asks again after the host has died, unless the answer was remembered by then', async () => {
  await node.order('dp_1', here);
  await node.start();
  expect(onScreen()).toEqual([]);
  await node.order('dp_1', here);
  expect(onScreen()).toEqual(['dp_1']);
  await node.say(remember);
  await node.start();
  await node.order('dp_2', here);
  expect(ranIds()).toEqual(['dp_1', 'dp_2']);
});
