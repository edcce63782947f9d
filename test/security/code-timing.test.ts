import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { passwordHashLength, Spake2, Spake2Password } from '../../src/actors/identity/spake2.js';
import { proofStatement } from '../../src/actors/identity/transcript.js';
import { newId } from '../../src/actors/ids.js';
import type { BeginMethod } from '../../src/actors/pairing/enrolment.js';
import { EnrollmentClient } from '../../src/adapters/grpc/enrollment-client.js';
import {
  fetchShownCa,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { hostFacts } from '../../src/node/host-facts.js';
import type { JoiningIdentity } from '../../src/node/identity-store.js';
import { refusal } from '../support/attacker.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { Relay } from '../support/man-in-the-middle.js';
import { ShiftedClock } from '../support/shifted-clock.js';

/*
 * Protocol.md 3: a code that is unknown, expired or cancelled fails at Prove like a wrong proof, in text and in time. The
 * kinds take turns, so that what else the machine does meets all of them alike. It only ever adds to what a call takes, so the
 * quickest of each kind are compared; and it can't make what is alike differ each time, so one comparison of several has to hold.
 */

/** Wrong proofs of one code: a fifth would end it. */
const proofsOfACode = 4;
/** One address may begin with a PIN 64 times at once: a round is 16 of them. */
const rounds = 4;
const comparisons = 4;

/** How far apart they may be. A refusal before all is compared, or without the exchange of a PIN, is further. */
const apart = { begin: 1.5, prove: 1.25 };

const clock = new ShiftedClock();
const closing: { close(): void }[] = [];
let local: LocalDaemon;
let identity: JoiningIdentity;
let caSha256: Buffer;

beforeAll(async () => {
  // Where the disk is memory, fsync adds no noise; that each kind writes as much is counted in pins.test.ts.
  if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';
  local = await LocalDaemon.start('', clock);
  identity = (await local.identity('guesser')).identity;
});
afterAll(async () => {
  for (const one of closing) one.close();
  await local.close();
});

/** Somebody with an address of their own, since each address has a budget. */
async function guesser(): Promise<EnrollmentClient> {
  connections += 1;
  const relay = await Relay.start(local.daemon.addresses.enrollment, `127.0.3.${connections}`);
  const ca = await fetchShownCa({ address: relay.address, timeoutMs: 5_000 });
  caSha256 = createHash('sha256').update(ca.certificate).digest();
  const credentials = pinnedCredentials({ caCertificates: [ca.caPem] });
  const client = new EnrollmentClient(relay.address, credentials, pinnedChannelOptions);
  closing.push(client, relay);
  return client;
}

interface Guess {
  /** Milliseconds. */
  readonly begin: number;
  readonly prove: number;
  /** What the daemon said. */
  readonly answer: string;
}

const stranger = generateKeyPairSync('ed25519').privateKey;

/** One wrong proof, as it is seen from outside. */
async function guess(client: EnrollmentClient, method: BeginMethod): Promise<Guess> {
  const details = {
    identityKey: identity.publicKey,
    csrDigest: identity.csrDigest,
    surfaceDigest: Buffer.alloc(32),
    facts: hostFacts(),
    caSha256,
    method,
  };
  const start = performance.now();
  const begun = await client.begin(details);
  const begin = performance.now() - start;
  const statement = proofStatement(begun.transcript);
  const proof = {
    attemptId: begun.attemptId,
    csr: identity.csr,
    identitySignature: signEd25519(identity.identityKey, statement),
    ...(method.kind === 'pin'
      ? { pinConfirmation: Buffer.alloc(32, 1) }
      : { joinSignature: signEd25519(stranger, statement) }),
  };
  const asked = performance.now();
  const { code, message, hint } = await refusal(client.prove(proof));
  return { begin, prove: performance.now() - asked, answer: `${code}: ${message}. ${hint}` };
}

/** Guesses at each kind in turn and expects that they can't be told apart. */
async function expectAlike(
  kinds: Readonly<Record<string, () => Promise<BeginMethod>>>,
  client: EnrollmentClient,
): Promise<void> {
  const guesses = new Map<string, Guess[]>(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    const methods: (readonly [string, BeginMethod])[] = [];
    for (const [kind, methodOf] of Object.entries(kinds)) methods.push([kind, await methodOf()]);
    for (let turn = 0; turn < proofsOfACode; turn++) {
      // Who comes first in a turn changes: the first one finds colder caches.
      const order = [...methods.slice(turn % methods.length), ...methods.slice(0, turn % methods.length)];
      for (const [kind, method] of order) guesses.get(kind)?.push(await guess(client, method));
    }
  }
  expect(new Set([...guesses.values()].flat().map(({ answer }) => answer)).size).toBe(1);
  for (const figure of ['begin', 'prove'] as const) {
    const quickest = [...guesses].map(([kind, all]) => ({
      kind,
      ms: Math.min(...all.map((one) => one[figure])),
    }));
    console.log(`${figure}: ${quickest.map(({ kind, ms }) => `${kind} ${ms.toFixed(2)} ms`).join(', ')}`);
    const times = quickest.map(({ ms }) => ms);
    expect(Math.max(...times) / Math.min(...times)).toBeLessThan(apart[figure]);
  }
}

const everTaken = new Set<string>();
const alike = { retry: comparisons - 1, timeout: 60_000 };
let connections = 1;

it(
  'a join string that is unknown, expired or cancelled takes as long to refuse as a wrong signature',
  alike,
  async () => {
    const { codes } = local.daemon.control;
    const join = (codeId: string): BeginMethod => ({ kind: 'join', codeId });
    const expired = await codes.mintJoin(admin, { ttlMs: 30_000 });
    clock.shiftMs += 60_000;
    const cancelled = await codes.mintJoin(admin, {});
    await codes.cancel(admin, cancelled.id, 'test');
    await expectAlike(
      {
        live: async () => join(parseJoinString(await local.mint()).codeId),
        unknown: async () => join(newId('pc', clock.now())),
        expired: async () => join(expired.id),
        cancelled: async () => join(cancelled.id),
      },
      await guesser(),
    );
  },
);

it(
  'a PIN in a slot that is free, expired or cancelled takes as long to refuse as a wrong PIN',
  alike,
  async () => {
    const { codes } = local.daemon.control;
    const { share } = new Spake2('A', Spake2Password.fromHash(randomBytes(passwordHashLength)));
    const pin = (slot: string): BeginMethod => ({ kind: 'pin', slot, share });
    const slotOf = ({ pin: code }: { readonly pin: string }): string => code.slice(0, 2);
    const mint = async () => {
      for (const { id } of (await codes.list(admin, { states: ['live'] })).codes) {
        await codes.cancel(admin, id, 'test');
      }
      await codes.unlockPins(admin, 'test');
      const minted = await codes.mintPin(admin, {});
      const expired = await codes.mintPin(admin, { ttlMs: 30_000 });
      const cancelled = await codes.mintPin(admin, {});
      await codes.cancel(admin, cancelled.id, 'test');
      clock.shiftMs += 60_000;
      for (const code of [minted, expired, cancelled]) everTaken.add(slotOf(code));
      const all = Array.from({ length: 90 }, (_, n) => String(10 + n));
      const free = all.find((slot) => !everTaken.has(slot)) ?? '';
      return { live: slotOf(minted), free, expired: slotOf(expired), cancelled: slotOf(cancelled) };
    };
    // Three live at most, and twenty wrong proofs within a day would lock them all: so each round has its own.
    let slots = { live: '', free: '', expired: '', cancelled: '' };
    await expectAlike(
      {
        live: async () => {
          slots = await mint();
          return pin(slots.live);
        },
        free: async () => pin(slots.free),
        expired: async () => pin(slots.expired),
        cancelled: async () => pin(slots.cancelled),
      },
      await guesser(),
    );
  },
);
