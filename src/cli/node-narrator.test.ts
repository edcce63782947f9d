import pc from 'picocolors';
import { expect, it } from 'vitest';
import { sessionError } from '../actors/errors.js';
import { narrator } from './node-narrator.js';

const plain = (text: string): string => text;
const waiting = sessionError('clone_waiting', 'Another host answers', {
  hint: 'An operator decides',
}).toEnvelope();
const stale = sessionError('stale_epoch', 'Register again').toEnvelope();

it('says what to do once while the same goes on, and again after something else', () => {
  const narrate = narrator(pc.createColors(false), plain);
  const lost = (error = waiting): string => narrate({ event: 'disconnected', retryInMs: 1_000, error });
  expect(lost()).toBe('Disconnected: Another host answers\n  An operator decides\n  Trying again in 1s.');
  narrate({ event: 'connecting', address: '127.0.0.1:7444', attempt: 2 });
  expect(lost()).toBe('Disconnected: Another host answers\n  Trying again in 1s.');
  lost(stale);
  expect(lost()).toContain('An operator decides');
  narrate({ event: 'connected', name: 'lab', epoch: 1, capabilities: [] });
  expect(lost()).toContain('An operator decides');
});

it('counts attempts from the last success', () => {
  const narrate = narrator(pc.createColors(false), plain);
  expect(narrate({ event: 'connecting', address: 'a:1', attempt: 1 })).toBe('Connecting to a:1');
  expect(narrate({ event: 'connecting', address: 'a:1', attempt: 2 })).toBe('Connecting to a:1 (attempt 2)');
});
