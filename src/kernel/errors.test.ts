import { expect, it } from 'vitest';
import { setup } from 'xstate';
import { AppError, toAppError } from './errors.js';
import { createKernel, startRoot } from './kernel.js';
import { SimulatedClock } from './simulated-clock.js';

const fail = (): never => {
  throw new Error('trap');
};

/** What hostile or careless code may throw. */
const thrown: readonly (readonly [string, unknown, string])[] = [
  ['an error', new Error('boom'), 'boom'],
  ['a text', 'boom', 'boom'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('boom'), 'Symbol(boom)'],
  [
    'an error whose message is a symbol',
    Object.assign(new Error(), { message: Symbol('boom') }),
    'Symbol(boom)',
  ],
  ['an object without a prototype', Object.create(null), 'can not even be read'],
  ['an object that refuses to be a text', { toString: fail }, 'can not even be read'],
  [
    'an error that refuses to be read',
    Object.defineProperty(new Error(), 'message', { get: fail }),
    'can not even be read',
  ],
  ['a proxy full of traps', new Proxy({}, { get: fail, getPrototypeOf: fail }), 'can not even be read'],
];

it.each(thrown)('takes %s for an internal error', (_what, value, message) => {
  const error = toAppError(value);
  expect(error).toBeInstanceOf(AppError);
  expect(error.code).toBe('internal');
  expect(error.message).toContain(message);
  expect(error.cause === value).toBe(true);
});

it.each(thrown)('ends a root that throws %s', async (_what, value) => {
  const quiet = (): void => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const kernel = createKernel({ clock: new SimulatedClock(), log });
  const root = startRoot(
    kernel,
    setup({
      actions: {
        explode: () => {
          throw value;
        },
      },
    }).createMachine({ entry: 'explode' }),
  );
  await expect(root.stopped).resolves.toMatchObject({ status: 'error', error: { code: 'internal' } });
});

it('leaves an AppError as it is', () => {
  const error = new AppError('test.code', { category: 'busy', retryable: true }, 'full');
  expect(toAppError(error)).toBe(error);
});
