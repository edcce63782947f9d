import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Devices } from '../../src/actors/device/devices.js';
import { sessionError } from '../../src/actors/errors.js';
import { newId } from '../../src/actors/ids.js';
import { systemClock } from '../../src/kernel/clock.js';
import { NodeAttacker } from '../support/attacker.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let mallory: EnrolledDevice;
let ahead = 0;

beforeAll(async () => {
  local = await LocalDaemon.start('', { ...systemClock, now: () => systemClock.now() + ahead });
  mallory = await local.enrol('mallory');
});
afterAll(() => local.close());

const presence = async (): Promise<string | undefined> =>
  (await local.daemon.control.inventory.list(admin)).find((one) => one.name === 'mallory')?.presence;

/** The ticket that the daemon expects next: each session hands out another. */
let ticket: Buffer = Buffer.alloc(0);
async function live(attacker: NodeAttacker, hello = {}) {
  const stream = await attacker.live({ ticket, ...hello });
  ticket = await stream.welcomed;
  await expect.poll(presence).toBe('online');
  return stream;
}

async function withMallory(run: (attacker: NodeAttacker) => Promise<void>): Promise<void> {
  const attacker = new NodeAttacker(local, mallory);
  try {
    await run(attacker);
  } finally {
    attacker.close();
    await expect.poll(presence).toBe('offline');
  }
}

describe('a hostile node', () => {
  it('that says Hello twice is offline at once: no work goes into a dead stream', () =>
    withMallory(async (attacker) => {
      const stream = await live(attacker);
      stream.write({ hello: { epoch: 1 } });
      expect(await stream.ended).toMatchObject({ code: 'session.protocol' });
      await expect.poll(presence).toBe('offline');
    }));

  it('names dispatches by ids only', () =>
    withMallory(async (attacker) => {
      for (const dispatchId of ['../../etc/passwd', '__proto__', '', 'x'.repeat(100_000)]) {
        const stream = await live(attacker);
        stream.write({ cancelOutcomes: [{ dispatchId, outcome: 'NOT_KNOWN' }] });
        expect(await stream.ended).toMatchObject({ code: 'session.protocol' });
        await expect.poll(presence).toBe('offline');
      }
    }));

  it('is refused a Hello with more in flight than any node can have', () =>
    withMallory(async (attacker) => {
      const id = newId('dp', 0);
      const inFlight = Array.from({ length: 100_000 }, () => ({
        dispatchId: id,
        phase: 'RECEIVED' as const,
      }));
      const epoch = await attacker.register();
      const stream = attacker.stream();
      stream.write({ hello: { epoch, ticket, inFlight } });
      expect((await stream.ended)?.message).toContain('100000');
    }));

  it('that does not read is cut off before its acks fill the memory', () =>
    withMallory(async (attacker) => {
      const cutOff = () =>
        local.log.filter(({ fields }) => fields.reason === 'The node broke the protocol').length;
      const before = cutOff();
      const stream = await live(attacker);
      stream.pause();
      const cancelOutcomes = Array.from({ length: 16_000 }, () => ({
        dispatchId: newId('dp', 0),
        outcome: 'NOT_KNOWN' as const,
      }));
      for (let i = 0; i < 12; i++) stream.write({ cancelOutcomes });
      await expect.poll(presence, { timeout: 5_000 }).toBe('offline');
      expect(cutOff()).toBe(before + 1);
    }));

  it('may send a bounded number of results that nobody asked for', () =>
    withMallory(async (attacker) => {
      const stream = await live(attacker);
      const results = Array.from({ length: 16_000 }, () => ({ dispatchId: newId('dp', 0) }));
      stream.write({ results });
      stream.write({ results });
      await stream.ended;
      expect(stream.frames.at(-1)?.goodbye?.reason).toContain('Too many results');
    }));

  it('cannot stop the daemon with an output that can be read but not written', async () => {
    const node = await RawNode.connect(local, mallory, { ticket });
    ticket = Buffer.from(node.ticket);
    await expect.poll(presence).toBe('online');
    const outputs = ['['.repeat(20_000) + ']'.repeat(20_000), '{"constructor":{"prototype":{}}}'];
    for (const [at, value] of outputs.entries()) {
      const run = local.invoke('mallory', 'echo', { message: 'x' });
      await expect.poll(() => node.orders.length).toBe(at + 1);
      node.answer({
        dispatchId: node.orders[at]?.dispatchId ?? '',
        output: Buffer.from(`{"value":${value}}`),
      });
      const { state, outcome } = await run;
      expect([state, outcome?.error?.code]).toEqual(['failed', 'dispatch.invalid_output']);
    }
    node.close();
    await expect.poll(presence).toBe('offline');
  });

  it('cannot fill a record with what it says of a failure', async () => {
    const node = await RawNode.connect(local, mallory, { ticket });
    ticket = Buffer.from(node.ticket);
    await expect.poll(presence).toBe('online');
    const run = local.invoke('mallory', 'echo', { message: 'x' });
    await expect.poll(() => node.orders.length).toBe(1);
    const text = 'y'.repeat(400_000);
    node.answer({
      dispatchId: node.orders[0]?.dispatchId ?? '',
      outcome: 'failed',
      error: {
        code: text,
        message: text,
        hint: text,
        category: 'policy',
        retryable: false,
        fields: [{ field: text, message: text }],
      },
    });
    expect(JSON.stringify(await run).length).toBeLessThan(16_000);
    node.close();
    await expect.poll(presence).toBe('offline');
  });

  it('changes nothing by a result after the end', async () => {
    const node = await RawNode.connect(local, mallory, { ticket });
    ticket = Buffer.from(node.ticket);
    await expect.poll(presence).toBe('online');
    const run = local.invoke('mallory', 'echo', { message: 'x' });
    await expect.poll(() => node.orders.length).toBe(1);
    const dispatchId = node.orders[0]?.dispatchId ?? '';
    const output = Buffer.from('{"message":"x"}');
    node.answer({ dispatchId, output });
    node.answer({ dispatchId, output: Buffer.from('{"message":"changed"}') });
    node.started(dispatchId);
    const { version: _version, steps, ...first } = await run;
    node.answer({ dispatchId, outcome: 'failed' });
    node.answer({ dispatchId: newId('dp', 0), output });
    await expect.poll(() => node.settled.length).toBeGreaterThan(1);
    const { dispatches, explanations } = local.daemon.control;
    const noted = async () =>
      (await dispatches.get(admin, dispatchId)).steps.slice(steps.length).map(({ to, note }) => [to, note]);
    // What it said too late is noted, as said by it, and changes nothing else.
    await expect.poll(noted).toEqual([
      ['late_result', 'succeeded'],
      ['late_result', 'failed'],
    ]);
    expect(await dispatches.get(admin, dispatchId)).toMatchObject(first);
    await expect
      .poll(async () => (await explanations.explain(admin, 'mallory')).notes.join('\n'))
      .toMatch(
        /It has sent 2 results after the end of a dispatch and \d+ for a dispatch that is not known since/,
      );
    node.close();
    await expect.poll(presence).toBe('offline');
  });

  it('is not heard on an open stream once it is not trusted, nor once its certificate has ended', () =>
    withMallory(async (attacker) => {
      const trusted = await live(attacker);
      const lookUp = vi.spyOn(Devices.prototype, 'authenticate').mockImplementation(() => {
        throw sessionError('revoked', 'It is revoked');
      });
      trusted.write({ heartbeat: { inFlight: 0 } });
      expect(await trusted.ended).toMatchObject({ code: 'session.revoked' });
      lookUp.mockRestore();
      const valid = await live(attacker);
      ahead = 25 * 3_600_000;
      try {
        valid.write({ heartbeat: { inFlight: 0 } });
        expect(await valid.ended).toMatchObject({ code: 'session.certificate_expired' });
        await expect(attacker.register()).rejects.toMatchObject({ code: 'session.certificate_expired' });
      } finally {
        ahead = 0;
      }
    }));

  it('holds no more than sixteen connections', async () => {
    const attackers = Array.from({ length: 17 }, () => new NodeAttacker(local, mallory));
    const answers = await Promise.allSettled(attackers.map((one) => one.register()));
    expect(answers.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(1);
    expect(local.log.some(({ fields }) => String(fields.detail).includes('connections of device'))).toBe(
      true,
    );
    for (const one of attackers) one.close();
  });

  it('registers as often as a node in order could, and no more', async () => {
    const noisy = await local.enrol('noisy');
    const attacker = new NodeAttacker(local, noisy);
    const answers = [];
    for (let i = 0; i < 200; i++) answers.push(...(await Promise.allSettled([attacker.register()])));
    const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason);
    expect(refused.length).toBeGreaterThan(80);
    for (const error of refused) expect(error).toMatchObject({ code: 'session.busy', retryable: true });
    attacker.close();
  });

  it('says Hello once for each registration', async () => {
    const twice = await local.enrol('twice');
    const attacker = new NodeAttacker(local, twice);
    const epoch = await attacker.register();
    const streams = [attacker.stream(), attacker.stream(), attacker.stream()];
    for (const stream of streams) stream.write({ hello: { epoch } });
    const [first, ...others] = streams;
    await first?.welcomed;
    for (const stream of others) expect(await stream.ended).toMatchObject({ code: 'session.stale_epoch' });
    attacker.close();
  });

  it('is asked for large inputs and answers with large outputs in messages that fit', async () => {
    let node: RawNode | undefined;
    await expect
      .poll(async () => {
        node?.close();
        node = await RawNode.connect(local, mallory, { ticket });
        return node.isLive;
      })
      .toBe(true);
    if (!node) throw new Error('not connected');
    ticket = Buffer.from(node.ticket);
    await expect.poll(presence).toBe('online');
    const value = 'v'.repeat(800_000);
    const runs = Array.from({ length: 8 }, () => local.invoke('mallory', 'echo', { value }));
    await expect.poll(() => node?.orders.length, { timeout: 10_000 }).toBe(8);
    for (const { dispatchId, input } of node.orders) node.answer({ dispatchId, output: Buffer.from(input) });
    for (const { state } of await Promise.all(runs)) expect(state).toBe('succeeded');
    node.close();
  });
});
