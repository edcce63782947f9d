import { expect, test } from 'vitest';
import { adviceOn } from './dev-advice.js';

const examples = new Map([
  ['greet', { title: 'A name', input: { name: "O'Neill; rm -rf ~" } }],
  ['wave', undefined],
]);

const advice = (status: string, node = 'dev') =>
  adviceOn(
    node,
    'greeter',
    [...examples.keys(), 'other'].map((capability) => ({ capability, status })),
    examples,
  );

test('what can be called is shown as a shell takes it, with the first example', () => {
  expect(advice('accepted', 'my node')).toEqual([
    {
      event: 'ready',
      capability: 'greet',
      command: `palyra invoke 'my node' greet --input '{"name":"O'\\''Neill; rm -rf ~"}'`,
    },
    { event: 'ready', capability: 'wave', command: "palyra invoke 'my node' wave --input '{}'" },
  ]);
});

test('each capability of the plugin that waits for an operator is told, and no other', () => {
  expect(advice('not_approved').map((one) => 'command' in one && one.command)).toEqual([
    'palyra surfaces approve dev:greet',
    'palyra surfaces approve dev:wave',
  ]);
});

test('a plugin that the daemon has not enabled is told once', () => {
  expect(advice('not_enabled')).toMatchObject([{ event: 'waits', command: 'palyra plugins reload' }]);
});
