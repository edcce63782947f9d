import { definePlugin, Type } from 'palyra-node-runtime/plugin';
import { type MediationAnswer, type TestKit, testKit } from 'palyra-node-runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

const hour = 3_600_000;

/** A plugin whose capability asks, and lets a yes be remembered for a site for an hour. */
const asking = (version: string) =>
  definePlugin({
    name: 'asks',
    version,
    publisher: 'Test',
    engines: { palyra: '*' },
    capabilities: {
      visit: {
        title: 'Visit',
        description: 'Visits a site.',
        input: Type.Object({ url: Type.String() }),
        output: Type.Object({ version: Type.String() }),
        mediation: { mode: 'local', remember: { pointer: '/url', by: 'origin' } },
        handler: () => ({ version }),
      },
    },
  });

const here = 'https://example.com/a';
const elsewhere = 'https://example.org/a';
let kit: TestKit;

beforeEach(async () => {
  kit = await testKit({ plugin: asking('1.0.0') });
});
afterEach(() => kit.close());

async function visit(url = here): Promise<string> {
  const { state, reason } = await kit.invoke('visit', { url });
  return reason ?? state;
}

/** More time than is worth its heartbeats: the line breaks over it. */
async function later(ms: number): Promise<void> {
  kit.disconnect();
  kit.clock.advance(ms);
  await kit.online();
}

test('a yes for a while spares the question: of the same site, until its time has passed', async () => {
  kit.person = 'remember';
  expect(await visit()).toBe('succeeded');
  expect(kit.questions).toMatchObject([
    {
      title: 'Visit',
      plugin: 'asks',
      caller: 'operator:test',
      timeoutMs: 120_000,
      remember: { by: 'origin', value: 'https://example.com', mostMs: hour },
    },
  ]);
  kit.person = 'deny';
  expect(await visit(`${here}/b?c`)).toBe('succeeded');
  expect(await visit(elsewhere)).toBe('mediation_denied');
  // A no is not remembered, and takes nothing back.
  expect(await visit(elsewhere)).toBe('mediation_denied');
  expect(await visit()).toBe('succeeded');
  await kit.crash('node');
  expect(await visit()).toBe('succeeded');
  await later(hour);
  expect(await visit()).toBe('mediation_denied');
  expect(kit.questions).toHaveLength(4);
});

test('a yes for this once spares nothing', async () => {
  expect(await visit()).toBe('succeeded');
  expect(await visit()).toBe('succeeded');
  expect(kit.questions).toHaveLength(2);
});

test('another build of the plugin asks again', async () => {
  kit.person = 'remember';
  expect(await visit()).toBe('succeeded');
  await kit.replace(asking('1.0.1'));
  kit.person = 'deny';
  expect(await visit()).toBe('mediation_denied');
});

test('a person may choose a shorter time, and gets no longer one than the capability lets', async () => {
  kit.person = () => ({ answer: 'allow', rememberMs: 10 * hour });
  expect(await visit()).toBe('succeeded');
  kit.person = (): MediationAnswer => ({ answer: 'allow', rememberMs: 60_000 });
  expect(await visit(elsewhere)).toBe('succeeded');
  kit.person = 'deny';
  await later(60_000);
  expect(await visit(elsewhere)).toBe('mediation_denied');
  expect(await visit()).toBe('succeeded');
  await later(hour);
  expect(await visit()).toBe('mediation_denied');
});

test('silence is a no after the limit, and is told apart from a no', async () => {
  kit.person = 'absent';
  const call = await kit.start('visit', { url: here });
  await kit.until(async () => (await call.record()).state === 'awaiting_local_mediation');
  await kit.advance(119_000);
  expect((await call.record()).state).toBe('awaiting_local_mediation');
  await kit.advance(1_000);
  expect(await call.ended()).toMatchObject({ state: 'rejected', reason: 'mediation_timeout' });
});

test('the time of the handler stands still while a person decides', async () => {
  let yes: (allowed: boolean) => void = () => undefined;
  kit.person = () =>
    new Promise((resolve) => {
      yes = resolve;
    });
  const call = await kit.start('visit', { url: here }, { timeoutMs: 1_000 });
  await kit.until(() => kit.questions.length === 1);
  await kit.advance(60_000);
  yes(true);
  expect(await call.ended()).toMatchObject({ state: 'succeeded' });
});

test('a cancel takes the question back, and a yes that comes later runs nothing', async () => {
  let yes: (allowed: boolean) => void = () => undefined;
  kit.person = () =>
    new Promise((resolve) => {
      yes = resolve;
    });
  const call = await kit.start('visit', { url: here });
  await kit.until(() => kit.questions.length === 1);
  await call.cancel();
  expect(await call.ended()).toMatchObject({ state: 'cancelled', started: false });
  yes(true);
  await kit.advance(1_000);
  expect(call.starts).toBe(0);
});

test('a host that dies while it asks, asks again; the daemon knows that it waits', async () => {
  kit.person = 'absent';
  const call = await kit.start('visit', { url: here });
  await kit.until(() => kit.questions.length === 1);
  kit.person = 'allow';
  await kit.crash('node');
  expect(await call.ended()).toMatchObject({ state: 'succeeded' });
  expect(kit.questions.map(({ dispatchId }) => dispatchId)).toEqual([call.id, call.id]);
  expect(call.starts).toBe(1);
});

test('a daemon that comes back learns that a person is asked, although it was told while it was away', async () => {
  kit.person = 'absent';
  const call = await kit.start('visit', { url: here });
  await kit.until(() => kit.questions.length === 1);
  kit.disconnect();
  await kit.online();
  await kit.until(async () => (await call.record()).state === 'awaiting_local_mediation');
});
