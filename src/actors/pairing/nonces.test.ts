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

it('drops the oldest beyond ten thousand', () => {
  const nonces = new Nonces(new SimulatedClock());
  const first = nonces.issue();
  const second = nonces.issue();
  for (let i = 0; i < 9_999; i++) nonces.issue();
  expect(() => nonces.consume(first)).toThrow(refused);
  nonces.consume(second);
});
