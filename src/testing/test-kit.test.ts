import { CapabilityError, definePlugin, Type } from 'palyra-node-runtime/plugin';
import { afterEach, expect, test } from 'vitest';
import { type TestKit, type TestKitOptions, testKit } from './index.js';

const closed = { additionalProperties: false } as const;

/** Handlers that a test holds up and lets go. */
class Gate {
  #open: (() => void)[] = [];
  readonly wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      this.#open.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  open(): void {
    for (const open of this.#open.splice(0)) open();
  }
}

const about = { title: 'T', description: 'D.', output: Type.Object({ text: Type.String() }, closed) };
const input = Type.Object({ text: Type.String({ maxLength: 10 }) }, closed);

function plugin(gate = new Gate(), timeout = '30s') {
  return definePlugin({
    name: 'lab',
    version: '1.0.0',
    publisher: 'Test',
    engines: { palyra: '*' },
    config: Type.Object({ suffix: Type.Optional(Type.String()) }, closed),
    capabilities: {
      say: {
        ...about,
        input,
        readOnly: true,
        handler: ({ input: { text }, config, log }) => {
          log.info('said', { text });
          return { text: text + (config.suffix ?? '') };
        },
      },
      wait: {
        ...about,
        input,
        timeout,
        handler: async ({ input: { text }, signal, progress }) => {
          progress('begun');
          await gate.wait(signal);
          return { text };
        },
      },
      again: {
        ...about,
        input,
        idempotent: true,
        handler: async ({ input: { text }, signal }) => {
          await gate.wait(signal);
          return { text };
        },
      },
      fail: {
        ...about,
        input,
        handler: () => {
          throw new CapabilityError('no_paper', 'There is no paper', {
            retryable: true,
            details: { tray: 2 },
          });
        },
      },
      open: {
        ...about,
        input,
        mediation: { mode: 'local' },
        handler: async ({ input: { text }, host }) => {
          await host.openUrl(text);
          return { text };
        },
      },
    },
  });
}

let kit: TestKit | undefined;

async function start(options: Partial<TestKitOptions> = {}): Promise<TestKit> {
  kit = await testKit({ plugin: plugin(), ...options });
  return kit;
}

afterEach(async () => {
  await kit?.close();
  kit = undefined;
});

const hi = { text: 'hi' };

test('a call runs through both sides, with its settings and its log', async () => {
  const { invoke, log } = bound(await start({ config: { suffix: '!' } }));
  expect(await invoke('say', hi)).toMatchObject({ state: 'succeeded', output: { text: 'hi!' } });
  expect(log.find(({ message }) => message === 'said')?.fields).toMatchObject({ fields: { text: 'hi' } });
});

test('what the daemon refuses is thrown; what the handler fails with is an outcome', async () => {
  const { invoke } = bound(await start());
  await expect(invoke('say', { text: 7 })).rejects.toMatchObject({ code: 'dispatch.invalid_input' });
  await expect(invoke('sya', hi)).rejects.toThrow('no capability');
  expect(await invoke('fail', hi)).toMatchObject({
    state: 'failed',
    error: { retryable: true, details: { code: 'no_paper', tray: 2 } },
  });
});

test('settings, examples and schemas that are not sound are told at the start', async () => {
  await expect(testKit({ plugin: plugin(), config: { sufix: '!' } })).rejects.toThrow(
    "Did you mean 'suffix'?",
  );
  await expect(testKit({ plugin: plugin(new Gate(), 'soon') })).rejects.toThrow('/timeout');
});

test('time stands still until it is moved; at the deadline the handler is stopped', async () => {
  const made = await start();
  const call = await made.start('wait', hi);
  await call.running();
  await made.advance(29_000);
  expect((await call.record()).state).toBe('running');
  await made.advance(2_000);
  expect(await call.ended()).toMatchObject({ state: 'timed_out', progress: ['begun'] });
});

test('a running call can be cancelled', async () => {
  const made = await start();
  const call = await made.start('wait', hi);
  await call.running();
  await call.cancel();
  expect(await call.ended()).toMatchObject({ state: 'cancelled' });
});

test.each([
  ['allow', 'succeeded', ['hi']],
  ['deny', 'rejected', []],
] as const)('who is at the node: %s', async (person, state, opened) => {
  const made = await start({ person });
  expect(await made.invoke('open', hi)).toMatchObject({ state });
  expect(made.openedUrls).toEqual(opened);
  expect(made.questions).toMatchObject([{ capability: 'open', input: hi, caller: 'operator:test' }]);
});

test('nobody at the node is a no, in time', async () => {
  const made = await start({ person: 'absent' });
  const call = await made.start('open', hi);
  await made.advance(121_000);
  expect(await call.ended()).toMatchObject({ state: 'rejected', reason: 'mediation_timeout' });
});

test('a line that breaks in mid-call costs nothing but time', async () => {
  const gate = new Gate();
  const made = await start({ plugin: plugin(gate) });
  const call = await made.start('wait', hi);
  await call.running();
  made.disconnect();
  await made.online();
  gate.open();
  expect(await call.ended()).toMatchObject({ state: 'succeeded', output: hi });
  expect(call.starts).toBe(1);
});

test.each(['drop', 'disconnect'] as const)(
  'a result that is lost (%s) comes again with the next line',
  async (fault) => {
    const made = await start();
    made.faults[fault]('results');
    const call = await made.start('say', hi);
    await made.until(() => made.faults.armed === 0);
    expect((await call.record()).state).not.toBe('succeeded');
    made.disconnect();
    await made.online();
    expect(await call.ended()).toMatchObject({ state: 'succeeded' });
    expect(call.starts).toBe(1);
  },
);

test('an order that arrives twice runs once, and so does a result', async () => {
  const made = await start();
  made.faults.duplicate('dispatches');
  made.faults.duplicate('results');
  const call = await made.start('say', hi);
  expect(await call.ended()).toMatchObject({ state: 'succeeded' });
  expect([call.starts, made.faults.armed]).toEqual([1, 0]);
});

test('a frame that is held up comes when its time has come', async () => {
  const made = await start();
  made.faults.delay('results', 5_000);
  const call = await made.start('say', hi);
  await made.until(() => made.faults.armed === 0);
  await made.advance(4_500);
  expect((await call.record()).state).not.toBe('succeeded');
  await made.advance(1_000);
  expect(await call.ended()).toMatchObject({ state: 'succeeded' });
});

test('after a crash of the node, what may run again does, and what may not is not known', async () => {
  const gate = new Gate();
  const made = await start({ plugin: plugin(gate) });
  const once = await made.start('wait', hi);
  const again = await made.start('again', hi);
  await once.running();
  await again.running();
  await made.crash('node');
  await made.until(() => again.starts === 2);
  gate.open();
  expect(await again.ended()).toMatchObject({ state: 'succeeded' });
  expect(await once.ended()).toMatchObject({ state: 'outcome_unknown' });
  expect(once.starts).toBe(1);
});

test('after a crash of the daemon, what it had accepted ends', async () => {
  const gate = new Gate();
  const made = await start({ plugin: plugin(gate) });
  const call = await made.start('wait', hi);
  await call.running();
  await made.crash('daemon');
  gate.open();
  expect(await call.ended()).toMatchObject({ state: 'succeeded', output: hi });
  expect(call.starts).toBe(1);
});

test('another build takes over; what it asks for more waits for an operator', async () => {
  const made = await start();
  const { capabilities } = plugin();
  const [say] = capabilities;
  if (!say) throw new Error('no capability');
  const wider = {
    ...say,
    input: Type.Object({ text: Type.String({ maxLength: 20 }) }, closed),
    handler: () => ({ text: 'new' }),
  };
  await made.replace({ ...plugin(), capabilities: [wider] });
  await expect(made.invoke('say', hi)).rejects.toMatchObject({ code: expect.stringContaining('dispatch.') });
  expect(await made.approve()).toEqual(['say']);
  expect(await made.invoke('say', { text: 'longer than ten' })).toMatchObject({ output: { text: 'new' } });
});

test('another build that promises the same takes over without anybody being asked', async () => {
  const made = await start();
  const { capabilities } = plugin();
  const before = made.clock.now();
  await made.replace({
    ...plugin(),
    capabilities: capabilities.map((one) => ({ ...one, handler: () => ({ text: 'new' }) })),
  });
  expect(await made.invoke('say', hi)).toMatchObject({ output: { text: 'new' } });
  expect(made.clock.now() - before).toBeLessThan(2_000);
});

test('what never comes about is said, not waited for without end', async () => {
  const made = await start();
  const call = await made.start('wait', hi);
  await expect(call.ended()).rejects.toThrow('kit.advance');
}, 30_000);

function bound(made: TestKit) {
  return { invoke: made.invoke.bind(made), log: made.log };
}
