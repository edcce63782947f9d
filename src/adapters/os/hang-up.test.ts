import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { onHangUp } from './hang-up.js';

function program(...terminal: readonly boolean[]) {
  const answers = [...terminal];
  const emitter = new EventEmitter();
  const heard: string[] = [];
  const listeners = { reload: () => heard.push('reload'), gone: () => heard.push('gone') };
  const end = onHangUp(emitter, listeners, () => answers.shift() ?? false);
  return { heard, end, hangUp: () => emitter.emit('SIGHUP') };
}

test('without a terminal, and with one that is still there, it asks for a reload', () => {
  for (const terminal of [
    [false, false],
    [true, true],
  ]) {
    const { heard, hangUp } = program(...terminal);
    hangUp();
    expect(heard).toEqual(['reload']);
  }
});

test('with a terminal that is gone by then, that is what is told', () => {
  const { heard, hangUp } = program(true, false);
  hangUp();
  expect(heard).toEqual(['gone']);
});

test('nothing is heard after the end', () => {
  const { heard, hangUp, end } = program(false);
  end();
  expect(hangUp()).toBe(false);
  expect(heard).toEqual([]);
});
