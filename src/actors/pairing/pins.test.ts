import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { silent } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Store, StoreOperation } from '../../kernel/store.js';
import { formatPinCode, type PinCode, pinPassword } from '../identity/pin-code.js';
import { passwordHashLength, Spake2, Spake2Password } from '../identity/spake2.js';
import { eachStored } from '../records.js';
import { pinProof } from './code-proof.js';
import { PairingCodes } from './codes.js';

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const bob = verifiedCaller({ kind: 'operator', name: 'bob', role: 'viewer' });
const options = { ttlMs: 600_000, purpose: 'lab', labels: {} };
const identities = { A: Buffer.from('device'), B: Buffer.from('daemon') };
const wrongPassword = Spake2Password.fromHash(randomBytes(passwordHashLength));
const transcript = Buffer.from('transcript');

/** A store that counts what each commit writes. */
function counting(store: Store): { readonly store: Store; readonly commits: (readonly StoreOperation[])[] } {
  const commits: (readonly StoreOperation[])[] = [];
  return {
    commits,
    store: {
      get: (kind, id) => store.get(kind, id),
      list: (query) => store.list(query),
      heads: (query) => store.heads(query),
      history: (kind, id) => store.history(kind, id),
      commit: (operations, durability) => {
        commits.push(operations);
        return store.commit(operations, durability);
      },
      close: () => store.close(),
    },
  };
}

async function make(disk: Store = new MemoryStore(), clock = new SimulatedClock()) {
  const { store, commits } = counting(disk);
  const deadlines = new Deadlines(clock, silent);
  const codes = await PairingCodes.open({ store, clock, deadlines, log: silent });
  let attempts = 0;
  /** A machine that proves a PIN as enrolment lets it; whether it was accepted. */
  const proveWith = async (slot: string, password: Spake2Password, deviceId = 'A'): Promise<boolean> => {
    attempts += 1;
    const attemptId = `attempt-${attempts}`;
    const node = new Spake2('A', password);
    const { codeId, side } = codes.beginPin(slot);
    const proof = pinProof(codeId, side, { peerShare: node.share, identities });
    const keys = node.finish({ peerShare: side.share, identities, additionalData: transcript });
    const charged = await codes.charge(codeId, { attemptId, address: '192.0.2.1' });
    const outcome = proof.check(transcript, {
      joinSignature: Buffer.alloc(0),
      pinConfirmation: keys.confirmation,
    });
    if (!outcome.holds || !charged) return false;
    await codes.accept(codeId, attemptId, deviceId);
    expect(keys.isConfirmedBy(outcome.confirmation)).toBe(true);
    return true;
  };
  const prove = async (pinCode: PinCode) => proveWith(pinCode.slot, (await pinPassword(pinCode)).reveal());
  /** As prove, with a PIN that is not the right one. */
  const guess = ({ slot }: Pick<PinCode, 'slot'>) => proveWith(slot, wrongPassword);
  const mint = () => codes.mintPin(ada, options);
  const guesses = async (pinCode: PinCode, times: number) => {
    for (let i = 0; i < times; i++) expect(await guess(pinCode)).toBe(false);
  };
  return { disk, clock, deadlines, codes, commits, prove, mint, guess, guesses };
}

describe('a PIN', () => {
  it('lets in the machine that knows it, and nothing that could be used as it is on disk', async () => {
    const { disk, codes, mint, prove, guess } = await make();
    const { code, pinCode } = await mint();
    expect(code).toMatchObject({
      state: 'live',
      method: 'pin',
      slot: pinCode.slot,
      mintedBy: 'operator:ada',
    });
    const password = (await pinPassword(pinCode)).reveal().scalar;
    expect(await guess(pinCode)).toBe(false);
    expect(await prove(pinCode)).toBe(true);
    expect(codes.get(code.id)).toMatchObject({ state: 'bound', boundTo: 'A', charges: [{}] });
    const stored = [];
    for (const kind of ['pairing-code', 'pairing-decoy', 'pin-guard']) {
      for await (const record of eachStored(disk, kind)) stored.push(JSON.stringify(record));
    }
    const written = stored.join();
    expect(written).toContain(code.id);
    for (const secret of [
      pinCode.pin.reveal(),
      formatPinCode(pinCode),
      String(password),
      password.toString(16),
    ]) {
      expect(written).not.toContain(secret);
    }
  });

  it.each([
    ['the wall clock', 600_000, 0],
    ['monotonic time, though the wall clock was set back', 0, 600_000],
  ])('ends by %s', async (_name, wallMs, passedMs) => {
    const { clock, codes, mint, prove } = await make();
    const { code, pinCode } = await mint();
    clock.advance(passedMs);
    clock.setWallTime(clock.now() + wallMs - passedMs);
    expect(await prove(pinCode)).toBe(false);
    expect(codes.stateOf(code.id)).toBe('expired');
  });

  it('is one of three that live, each in a slot of its own', async () => {
    const { codes, clock, mint } = await make();
    const minted = await Promise.allSettled([mint(), mint(), mint(), mint(), mint()]);
    const made = minted.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(new Set(made.map(({ pinCode }) => pinCode.slot)).size).toBe(3);
    await expect(mint()).rejects.toMatchObject({ code: 'pairing.too_many_pins' });
    await codes.cancel(ada, made[0]?.code.id ?? '', 'not needed');
    await mint();
    await expect(mint()).rejects.toMatchObject({ code: 'pairing.too_many_pins' });
    clock.advance(600_000);
    await mint();
  });

  it.each([29_999, 15 * 60_000 + 1])('does not live %s ms', async (ttlMs) => {
    const { codes } = await make();
    await expect(codes.mintPin(ada, { ...options, ttlMs })).rejects.toMatchObject({
      code: 'pairing.invalid_request',
      fields: [{ field: 'ttlMs' }],
    });
  });

  it('is minted by an admin, cancelled by an approver', async () => {
    const { codes, mint } = await make();
    await expect(codes.mintPin(bob, options)).rejects.toMatchObject({ code: 'pairing.forbidden' });
    const { code } = await mint();
    await expect(codes.cancel(bob, code.id, '')).rejects.toMatchObject({ code: 'pairing.forbidden' });
    await expect(codes.unlockPins(bob, '')).rejects.toMatchObject({ code: 'pairing.forbidden' });
  });

  it('ends when its time is over, and leaves nothing behind', async () => {
    const { codes, clock, deadlines, mint, prove } = await make();
    const { code, pinCode } = await mint();
    clock.advance(600_000);
    await expect
      .poll(() => codes.get(code.id))
      .toMatchObject({ state: 'expired', endReason: 'its time was over' });
    expect(await prove(pinCode)).toBe(false);
    expect(codes.beginPin(pinCode.slot).codeId).toBe('');
    expect(deadlines.size).toBe(0);
  });

  it('ends when it is cancelled, once', async () => {
    const { codes, deadlines, mint, prove } = await make();
    const { code, pinCode } = await mint();
    await codes.cancel(ada, code.id, 'a mistake');
    expect(codes.get(code.id)).toMatchObject({ state: 'cancelled', endReason: 'a mistake' });
    expect(await prove(pinCode)).toBe(false);
    await expect(codes.cancel(ada, code.id, '')).rejects.toMatchObject({ code: 'pairing.code_ended' });
    await expect(codes.cancel(ada, 'pc_0', '')).rejects.toMatchObject({ code: 'pairing.not_found' });
    expect(deadlines.size).toBe(0);
  });

  it('ends with the process, and says so', async () => {
    const first = await make();
    const { code, pinCode } = await first.mint();
    const { code: joinCode } = await first.codes.mintJoin(ada, options);
    const second = await make(first.disk, first.clock);
    expect(second.codes.get(code.id)).toMatchObject({
      state: 'expired',
      endReason: expect.stringContaining('restarted'),
    });
    expect(second.codes.get(joinCode.id)?.state).toBe('live');
    expect(await second.prove(pinCode)).toBe(false);
  });
});

describe('wrong PINs', () => {
  it('end a code when there are five, also for the right one', async () => {
    const { codes, mint, guesses, prove } = await make();
    const { code, pinCode } = await mint();
    await guesses(pinCode, 4);
    expect(codes.get(code.id)?.state).toBe('live');
    await guesses(pinCode, 1);
    expect(codes.get(code.id)).toMatchObject({
      state: 'exhausted',
      endReason: '5 wrong proofs, the last from 192.0.2.1',
    });
    expect(await prove(pinCode)).toBe(false);
    // An ended one does not keep others from being minted.
    await Promise.all([mint(), mint(), mint()]);
  });

  it('do not end it when the fifth that is compared at once is right', async () => {
    const { codes, mint, prove, guess } = await make();
    const { code, pinCode } = await mint();
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => guess(pinCode)).concat(prove(pinCode)));
    expect(outcomes).toEqual([false, false, false, false, true]);
    expect(codes.get(code.id)).toMatchObject({ state: 'bound', charges: { length: 4 } });
    expect(codes.pinGuard.charges).toHaveLength(4);
  });

  it('lock all PINs when there are twenty in a day: over a restart, until an operator lifts it', async () => {
    const first = await make();
    for (let i = 0; i < 4; i++) {
      const { pinCode } = await first.mint();
      await first.guesses(pinCode, 5);
    }
    expect(first.codes.pinGuard).toMatchObject({ state: 'locked', lockedAt: expect.any(Number) });
    await expect(first.mint()).rejects.toMatchObject({ code: 'pairing.pins_locked' });
    const { codes, clock, mint, prove, disk } = await make(first.disk, first.clock);
    clock.advance(48 * 3_600_000);
    await expect(mint()).rejects.toMatchObject({
      code: 'pairing.pins_locked',
      hint: expect.stringContaining('palyra pair unlock'),
    });
    const { code } = await codes.mintJoin(ada, options);
    expect(await codes.charge(code.id, { attemptId: 'join', address: '192.0.2.1' })).toBeDefined();
    expect(await codes.unlockPins(ada, 'it was me')).toMatchObject({ state: 'open', charges: [] });
    expect(await disk.history('pin-guard', 'pin')).toEqual([
      expect.objectContaining({ event: 'lock', to: 'locked' }),
      expect.objectContaining({ event: 'unlock', by: 'operator:ada', note: 'it was me', to: 'open' }),
    ]);
    const { pinCode } = await mint();
    expect(await prove(pinCode)).toBe(true);
  });

  it('lock PINs that live already, too', async () => {
    const { codes, mint, guesses, prove } = await make();
    const { pinCode: spared } = await mint();
    for (let i = 0; i < 4; i++) {
      const { pinCode } = await mint();
      await guesses(pinCode, 5);
    }
    expect(await prove(spared)).toBe(false);
    await codes.unlockPins(ada, '');
    expect(await prove(spared)).toBe(true);
  });

  it('count for a day, and a right one gives back what it cost', async () => {
    const { codes, clock, mint, guesses, prove } = await make();
    for (let i = 0; i < 3; i++) {
      const { pinCode } = await mint();
      await guesses(pinCode, 5);
    }
    const { pinCode } = await mint();
    await guesses(pinCode, 4);
    // The twentieth charge locks before it is compared; this one is right.
    expect(await prove(pinCode)).toBe(true);
    expect(codes.pinGuard).toMatchObject({ state: 'open', charges: { length: 19 } });
    expect(codes.pinGuard.lockedAt).toBeUndefined();
    clock.advance(24 * 3_600_000);
    expect(codes.pinGuard.charges).toEqual([]);
    await guesses((await mint()).pinCode, 5);
    expect(codes.pinGuard.state).toBe('open');
  });

  it('of codes that do not live cost as many writes and count for nobody', async () => {
    const { codes, commits, mint, guess } = await make();
    const { code, pinCode } = await mint();
    const { code: joinCode } = await codes.mintJoin(ada, options);
    const { code: cancelled } = await mint();
    await codes.cancel(ada, cancelled.id, '');
    const free =
      ['10', '11'].find((slot) => slot !== pinCode.slot && codes.beginPin(slot).codeId === '') ?? '';
    commits.length = 0;
    expect(await guess(pinCode)).toBe(false);
    await codes.charge(joinCode.id, { attemptId: 'a', address: '192.0.2.1' });
    for (const dead of ['', 'pc_unknown', cancelled.id]) {
      expect(await codes.charge(dead, { attemptId: 'b', address: '192.0.2.1' })).toBeUndefined();
    }
    expect(await guess({ slot: free })).toBe(false);
    expect(commits.map((operations) => operations.length)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(codes.get(code.id)?.charges).toHaveLength(1);
    expect(codes.pinGuard.charges).toHaveLength(1);
  });
});
