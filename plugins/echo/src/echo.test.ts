import { type TestKit, testKit } from 'palyra-node-runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import plugin from './index.js';

let kit: TestKit;

beforeEach(async () => {
  kit = await testKit({ plugin });
});

afterEach(() => kit.close());

test('its examples are true', async () => {
  for (const { input, output } of plugin.capabilities[0]?.examples ?? []) {
    expect(await kit.invoke('echo', input)).toMatchObject({ state: 'succeeded', output });
  }
});

test('what comes back is what was sent, to the last key', async () => {
  const value = { list: [0, -1.5, null, ''], deep: { '\u{1F980}': { ' ': false } } };
  const { output } = await kit.invoke('echo', { value });
  expect(JSON.stringify(output)).toBe(JSON.stringify({ value }));
});

test('it may run again after a lost connection, and the caller never notices', async () => {
  kit.faults.disconnect('results');
  const call = await kit.start('echo', { message: 'hi' });
  await kit.until(() => kit.faults.armed === 0);
  await kit.online();
  expect(await call.ended()).toMatchObject({ state: 'succeeded', output: { message: 'hi' } });
});

test.each([
  ['a text that is too long', { message: 'x'.repeat(65_537) }, 'input/message'],
  ['another property', { mesage: 'hi' }, 'input/mesage'],
  ['no object', 'hi', 'input'],
])('%s is refused before it is sent', async (_, input, field) => {
  await expect(kit.invoke('echo', input)).rejects.toMatchObject({ fields: [{ field }] });
});
