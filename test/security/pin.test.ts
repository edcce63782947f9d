import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { parsePinCode, pinPassword } from '../../src/actors/identity/pin-code.js';
import { Spake2 } from '../../src/actors/identity/spake2.js';
import { pinIdentities, proofStatement } from '../../src/actors/identity/transcript.js';
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
import { ManInTheMiddle, Relay, type Tampering } from '../support/man-in-the-middle.js';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

let local: LocalDaemon;
beforeAll(async () => {
  local = await LocalDaemon.start();
});
afterAll(() => local.close());

// Three PINs live at most, and twenty wrong ones within a day lock them all.
afterEach(async () => {
  const { codes } = local.daemon.control;
  for (const { id } of (await codes.list(admin, { states: ['live', 'bound'] })).codes) {
    await codes.cancel(admin, id, 'The test is over');
  }
  await codes.unlockPins(admin, 'The test is over');
});

async function between(tampering?: Tampering): Promise<ManInTheMiddle> {
  const attacker = await ManInTheMiddle.start(local.daemon.addresses.enrollment, tampering);
  closing.push(attacker);
  return attacker;
}

const flipped = (bytes: Buffer): Buffer => {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
};

async function pendingOrMore(): Promise<number> {
  return (await local.daemon.control.pairings.list(admin, {})).pairings.length;
}

describe('pairing by PIN', () => {
  it('enrols a machine that knows nothing of the daemon but its address and the PIN', async () => {
    const { membership } = await local.enrolByPin('honest');
    expect(membership.name).toBe('honest');
    const [pairing] = (await local.daemon.control.pairings.list(admin, {})).pairings;
    expect(pairing).toMatchObject({ method: 'pin', state: 'completed' });
  });

  it('works through a pipe that passes bytes on, which sees nothing but TLS', async () => {
    const relay = await Relay.start(local.daemon.addresses.enrollment, '127.0.0.9');
    closing.push(relay);
    await local.enrolByPin('piped', { address: relay.address });
  });

  it('refuses a wrong PIN with a warning, and never tries again by itself', async () => {
    const { pin, id } = await local.daemon.control.codes.mintPin(admin, {});
    const wrong = `${pin.slice(0, -1)}${(Number(pin.at(-1)) + 1) % 10}`;
    const error = await refusal(local.enrolByPin('mistyped', { pin: wrong }));
    expect(error).toMatchObject({
      code: 'node.pin_refused',
      message: expect.stringContaining('someone is in between'),
    });
    expect((await local.daemon.control.codes.get(admin, id)).wrongProofs).toHaveLength(1);
  });

  it('leaves the PIN on no disk of the daemon, and in no line of its log', async () => {
    const { pin } = await local.daemon.control.codes.mintPin(admin, {});
    await local.enrolByPin('scanned', { pin });
    const [, digits = ''] = pin.split('-');
    const files = readdirSync(local.stateDirectory, { withFileTypes: true }).filter((file) => file.isFile());
    expect(files.some(({ name }) => name === 'palyra.db-wal')).toBe(true);
    const texts = [
      ...files.map(({ name }) => readFileSync(join(local.stateDirectory, name)).toString('latin1')),
      JSON.stringify(local.log),
    ];
    for (const text of texts) {
      expect(text).not.toContain(pin);
      expect(text).not.toContain(`"${digits}"`);
      expect(text).not.toContain(`pin ${digits}`);
    }
  });
});

const publicFields = new Set([
  'protocol',
  'identityKey',
  'nonce',
  'csrDigest',
  'surfaceDigest',
  'facts',
  'caSha256',
  'method',
  'pin',
  'join',
]);

describe('a man in the middle with a certificate of his own', () => {
  it('who only passes messages on sees Begin and nothing else, and the machine stops', async () => {
    const attacker = await between();
    const before = await pendingOrMore();
    const error = await refusal(local.enrolByPin('watched', { address: attacker.address }));
    expect(error).toMatchObject({ code: 'node.pin_refused', message: expect.stringContaining('in between') });
    expect(attacker.seen.map(({ rpc }) => rpc)).toEqual(['Begin']);
    // What Begin says is public: a share is as good for any PIN as for the right one.
    const fields = Object.keys(attacker.seen[0]?.message ?? {});
    expect(fields.filter((field) => !publicFields.has(field))).toEqual([]);
    expect(await pendingOrMore()).toBe(before);
  });

  // He has to show his own CA in the answer, or the machine stops as above; on top of that he changes one thing more.
  const ownCa = { beginReply: (reply, ca) => ({ ...reply, caCertificate: ca }) } satisfies Tampering;
  const attacks: readonly (readonly [string, Tampering])[] = [
    ['the CA alone', ownCa],
    [
      'the share of the machine',
      {
        ...ownCa,
        begin: (request) => ({
          ...request,
          pin: { slot: request.pin?.slot ?? '', share: Buffer.from(new Spake2('A', guess.reveal()).share) },
        }),
      },
    ],
    [
      'the share of the daemon',
      {
        beginReply: (reply, ca) => ({
          ...reply,
          caCertificate: ca,
          pin: { share: Buffer.from(new Spake2('B', guess.reveal()).share) },
        }),
      },
    ],
    [
      'the request for the certificate',
      { ...ownCa, begin: (r) => ({ ...r, csrDigest: flipped(r.csrDigest) }) },
    ],
    ['the nonce of the machine', { ...ownCa, begin: (r) => ({ ...r, nonce: flipped(r.nonce) }) }],
    [
      'the facts of the machine',
      { ...ownCa, begin: (r) => ({ ...r, facts: r.facts && { ...r.facts, hostname: 'innocent' } }) },
    ],
    [
      'the nonce of the daemon',
      { beginReply: (reply, ca) => ({ ...reply, caCertificate: ca, nonce: flipped(reply.nonce) }) },
    ],
  ];
  let guess: Awaited<ReturnType<typeof pinPassword>>;
  beforeAll(async () => {
    guess = await pinPassword(parsePinCode('10-000000'));
  });

  it.each(attacks)(
    'who changes %s gets neither a pairing nor the word of the machine',
    async (_what, tampering) => {
      const attacker = await between(tampering);
      const before = await pendingOrMore();
      const { pin, id } = await local.daemon.control.codes.mintPin(admin, {});
      const error = await refusal(local.enrolByPin('attacked', { pin, address: attacker.address }));
      expect(error).toMatchObject({
        code: 'node.pin_refused',
        hint: expect.stringContaining('Do not use this code'),
      });
      expect(await pendingOrMore()).toBe(before);
      // It cost the code one proof at most, and the operator sees it.
      expect((await local.daemon.control.codes.get(admin, id)).wrongProofs.length).toBeLessThanOrEqual(1);
      expect(attacker.seen.map(({ rpc }) => rpc).filter((rpc) => rpc !== 'Begin' && rpc !== 'Prove')).toEqual(
        [],
      );
    },
  );

  it('who answers in place of the daemon is not believed, whatever confirmation he makes up', async () => {
    const attacker = await between({
      ...ownCa,
      proveReply: (reply) => ({ ...reply, pinConfirmation: Buffer.alloc(32, 1) }),
    });
    const error = await refusal(local.enrolByPin('fooled', { address: attacker.address }));
    expect(error.code).toBe('node.pin_refused');
  });
});

let guessers = 0;

/** Somebody who speaks the protocol by hand, from an address of his own: one address has four attempts at a time. */
async function guesser(identity: JoiningIdentity, pin: string) {
  guessers += 1;
  const localAddress = `127.0.1.${guessers}`;
  const relay = await Relay.start(local.daemon.addresses.enrollment, localAddress);
  closing.push(relay);
  const ca = await fetchShownCa({ address: relay.address, timeoutMs: 5_000 });
  const credentials = pinnedCredentials({ caCertificates: [ca.caPem] });
  const client = new EnrollmentClient(relay.address, credentials, pinnedChannelOptions);
  closing.push(client);
  const code = parsePinCode(pin);
  const side = new Spake2('A', (await pinPassword(code)).reveal());
  const begun = await client.begin({
    identityKey: identity.publicKey,
    csrDigest: identity.csrDigest,
    surfaceDigest: Buffer.alloc(32),
    facts: hostFacts(),
    caSha256: createHash('sha256').update(ca.certificate).digest(),
    method: { kind: 'pin', slot: code.slot, share: side.share },
  });
  const keys = side.finish({
    peerShare: begun.share,
    identities: pinIdentities(identity.publicKey, begun.caCertificate),
    additionalData: begun.transcript,
  });
  const prove = (by: JoiningIdentity = identity) =>
    client.prove({
      attemptId: begun.attemptId,
      csr: by.csr,
      identitySignature: signEd25519(by.identityKey, proofStatement(begun.transcript)),
      pinConfirmation: keys.confirmation,
    });
  return { begun, keys, prove, client };
}

describe('a guesser', () => {
  it('who hangs up after the answer has learnt nothing, and costs the code nothing', async () => {
    const { pin, id } = await local.daemon.control.codes.mintPin(admin, {});
    const { identity } = await local.identity('hangs-up');
    for (let attempt = 0; attempt < 6; attempt++) {
      const { begun, client } = await guesser(identity, pin);
      // A point and random bytes: nothing in the answer depends on the PIN in a way that could be tested alone.
      expect(Object.keys(begun).sort()).toEqual(['attemptId', 'caCertificate', 'share', 'transcript']);
      client.close();
    }
    expect((await local.daemon.control.codes.get(admin, id)).wrongProofs).toEqual([]);
    await local.enrolByPin('after-guessers', { pin });
  });

  it('gets no word of the daemon before its own holds: a wrong one is refused, without a confirmation', async () => {
    const { pin } = await local.daemon.control.codes.mintPin(admin, {});
    const { identity } = await local.identity('wrong');
    const wrong = `${pin.slice(0, 3)}${pin.slice(3) === '000000' ? '000001' : '000000'}`;
    const error = await refusal((await guesser(identity, wrong)).prove());
    expect(error).toMatchObject({ code: 'pairing.code_refused' });
    expect(JSON.stringify(error.toEnvelope())).not.toMatch(/confirmation/i);
    const right = await guesser(identity, pin);
    const reply = await right.prove();
    expect(right.keys.isConfirmedBy(reply.pinConfirmation)).toBe(true);
  });

  it('finds the code dead at the sixth wrong proof, from six addresses at once', async () => {
    const { pin } = await local.daemon.control.codes.mintPin(admin, {});
    const { identity } = await local.identity('six');
    const digits = pin.slice(3);
    const wrongs = Array.from({ length: 6 }, (_, n) =>
      String((Number(digits) + n + 1) % 1_000_000).padStart(6, '0'),
    );
    const six = await Promise.all(wrongs.map((wrong) => guesser(identity, `${pin.slice(0, 3)}${wrong}`)));
    const errors = await Promise.all(six.map(({ prove }) => refusal(prove())));
    expect(new Set(errors.map(({ code, message }) => `${code} ${message}`)).size).toBe(1);
    const honest = await refusal(local.enrolByPin('too-late', { pin }));
    expect(honest.code).toBe('node.pin_refused');
    const dead = (await local.daemon.control.codes.list(admin, { states: ['exhausted'] })).codes;
    expect(dead).toHaveLength(1);
    expect(dead[0]?.wrongProofs.map(({ address }) => address)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^127\.0\.1\.\d+$/)]),
    );
  });

  it("can't enrol a victim's public key with a request of his own, even with the right PIN", async () => {
    const { pin } = await local.daemon.control.codes.mintPin(admin, {});
    const { identity: victim } = await local.identity('victim');
    const { identity: thief } = await local.identity('thief');
    const { prove } = await guesser({ ...victim, csr: thief.csr, csrDigest: thief.csrDigest }, pin);
    expect(await refusal(prove(thief))).toMatchObject({ code: 'pairing.code_refused' });
    const { pairings } = await local.daemon.control.pairings.list(admin, {});
    expect(pairings.map(({ deviceId }) => deviceId)).not.toContain(victim.deviceId);
  });
});
