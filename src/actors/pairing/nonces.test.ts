import { expect, it } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { Nonces } from './nonces.js';

const refused = expect.objectContaining({ code: 'pairing.bad_signature' });

it('takes a nonce once', () => {
  const nonces = new Nonces(new SimulatedClock());
  const nonce = nonces.issue();
  expect(nonce).toHaveLength(32);
  nonces.consume(nonce);
  expect(() => nonces.consume(nonce)).toThrow(refused);
  expect(() => nonces.consume(Buffer.alloc(32))).toThrow(refused);
});

it('takes none after a minute, whatever the wall clock says', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  const [early, late] = [nonces.issue(), nonces.issue()];
  clock.advance(59_999);
  nonces.consume(early);
  clock.advance(1);
  clock.setWallTime(0);
  expect(() => nonces.consume(late)).toThrow(refused);
});

it('takes none of another process, and none that was changed', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  expect(() => nonces.consume(new Nonces(clock).issue())).toThrow(refused);
  const changed = nonces.issue();
  changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
  expect(() => nonces.consume(changed)).toThrow(refused);
});

it('keeps a nonce good however many others are asked for', () => {
  const nonces = new Nonces(new SimulatedClock());
  const honest = nonces.issue();
  for (let i = 0; i < 20_000; i++) nonces.issue();
  nonces.consume(honest);
});

it('remembers ten thousand used ones for a minute, and forgets none of them for a newer one', () => {
  const clock = new SimulatedClock();
  const nonces = new Nonces(clock);
  const first = nonces.issue();
  nonces.consume(first);
  for (let i = 0; i < 9_999; i++) nonces.consume(nonces.issue());
  expect(() => nonces.consume(nonces.issue())).toThrow(expect.objectContaining({ code: 'pairing.busy' }));
  expect(() => nonces.consume(first)).toThrow(refused);
  clock.advance(60_000);
  nonces.consume(nonces.issue());
});
