import { expect, it } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Nonces } from './nonces.js';

const busy = expect.objectContaining({ code: 'pairing.busy' });
const refused = expect.objectContaining({ code: 'pairing.bad_signature' });

it('takes a nonce once', () => {
  const nonces = new Nonces(new SimulatedClock());
  const nonce = nonces.issue();
  expect(nonce).toHaveLength(32);
  nonces.consume(nonce, 'LABNODE');
  expect(() => nonces.consume(nonce, 'LABNODE')).toThrow(refused);
  expect(() => nonces.consume(Buffer.alloc(32), 'LABNODE')).toThrow(refused);
});

it('takes none after a minute, whatever the wall clock says', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  const [early, late] = [nonces.issue(), nonces.issue()];
  clock.advance(59_999);
  nonces.consume(early, 'LABNODE');
  clock.advance(1);
  clock.setWallTime(0);
  expect(() => nonces.consume(late, 'LABNODE')).toThrow(refused);
});

it('takes none of another process, and none that was changed', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  expect(() => nonces.consume(new Nonces(clock).issue(), 'LABNODE')).toThrow(refused);
  const changed = nonces.issue();
  changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
  expect(() => nonces.consume(changed, 'LABNODE')).toThrow(refused);
});

it('keeps a nonce good however many others are asked for', () => {
  const nonces = new Nonces(new SimulatedClock());
  const honest = nonces.issue();
  for (let i = 0; i < 20_000; i++) nonces.issue();
  nonces.consume(honest, 'LABNODE');
});

it('remembers ten thousand used ones for a minute, and forgets none of them for a newer one', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  const first = nonces.issue();
  nonces.consume(first, 'LABNODE');
  for (let i = 0; i < 9_999; i++) nonces.consume(nonces.issue(), `device ${i % 200}`);
  expect(() => nonces.consume(nonces.issue(), 'LABNODE')).toThrow(busy);
  expect(() => nonces.consume(first, 'LABNODE')).toThrow(refused);
  clock.advance(60_000);
  nonces.consume(nonces.issue(), 'LABNODE');
});

it('is used by no device more often than twice a second, so that none can use up those of the others', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  const refusedOne = nonces.issue();
  for (let i = 0; i < 64; i++) nonces.consume(nonces.issue(), 'HOSTILE');
  expect(() => nonces.consume(refusedOne, 'HOSTILE')).toThrow(busy);
  nonces.consume(nonces.issue(), 'LABNODE');
  clock.advance(500);
  // What was refused has not been used up.
  nonces.consume(refusedOne, 'HOSTILE');
  expect(() => nonces.consume(nonces.issue(), 'HOSTILE')).toThrow(busy);
});
