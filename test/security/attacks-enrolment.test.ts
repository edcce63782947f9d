import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { proofStatement } from '../../src/actors/identity/transcript.js';
import { pinnedChannelOptions } from '../../src/adapters/grpc/pinned-channel.js';
import { EnrollmentService } from '../../src/adapters/grpc/proto.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { EnrolmentAttacker, refusal } from '../support/attacker.js';
import { admin, bundledAnnouncement, LocalDaemon } from '../support/local-daemon.js';

let local: LocalDaemon;
beforeAll(async () => {
  local = await LocalDaemon.start();
});
afterAll(() => local.close());

const codeRefused = { code: 'pairing.code_refused' };

async function attack(
  run: (attacker: EnrolmentAttacker, joinString: string) => Promise<void>,
): Promise<void> {
  const joinString = await local.mint();
  const attacker = await EnrolmentAttacker.connect(local, joinString);
  try {
    await run(attacker, joinString);
  } finally {
    attacker.close();
  }
}

describe('a proof', () => {
  it('is good once', () =>
    attack(async (attacker) => {
      const { identity } = await local.identity('replay');
      const proof = attacker.proof(await attacker.begin(identity), identity);
      await attacker.client.prove(proof);
      expect(await refusal(attacker.client.prove(proof))).toMatchObject(codeRefused);
    }));

  it('is of the key, the request and the exchange that Begin named', () =>
    attack(async (attacker) => {
      const [{ identity: victim }, { identity: thief }] = [
        await local.identity('victim'),
        await local.identity('thief'),
      ];
      const prove = (proof: Parameters<typeof attacker.client.prove>[0]) =>
        refusal(attacker.client.prove(proof));
      const begun = () => attacker.begin(victim);
      // The victim's public key with the thief's request, signed by the thief.
      const mixed = { publicKey: victim.publicKey, csrDigest: thief.csrDigest };
      expect(await prove(attacker.proof(await attacker.begin(mixed), thief))).toMatchObject(codeRefused);
      // The victim's exchange, the thief's request.
      const swapped = attacker.proof(await begun(), victim, { csr: thief.csr });
      expect(await prove(swapped)).toMatchObject(codeRefused);
      // A proof of another exchange of the same machine.
      const earlier = await begun();
      const later = await begun();
      const crossed = attacker.proof({ ...earlier, attemptId: later.attemptId }, victim);
      expect(await prove(crossed)).toMatchObject(codeRefused);
      // Ends the attempt that is left: an address has four of them.
      expect(await prove(attacker.proof(earlier, thief))).toMatchObject(codeRefused);
      const { pairings } = local.daemon.control;
      const ids = (await pairings.list(admin, {})).pairings.map((one) => one.deviceId);
      expect(ids).not.toContain(victim.deviceId);
    }));

  it('is charged before it is compared, however many guesses run at once', () =>
    attack(async (attacker, joinString) => {
      const { identity } = await local.identity('guesser');
      const guess = async () => {
        const begun = await attacker.begin(identity);
        const joinSignature = signEd25519(identity.identityKey, proofStatement(begun.transcript));
        return () => refusal(attacker.client.prove(attacker.proof(begun, identity, { joinSignature })));
      };
      for (let round = 0; round < 2; round++) {
        const ready = [await guess(), await guess(), await guess(), await guess()];
        for (const error of await Promise.all(ready.map((send) => send()))) {
          expect(error).toMatchObject(codeRefused);
        }
      }
      const error = await refusal(local.enrol('honest', joinString));
      expect(error).toMatchObject(codeRefused);
    }));

  it('gives a machine one request, however many codes it proves at once', () =>
    attack(async (attacker) => {
      const { identity } = await local.identity('doubled');
      const other = await EnrolmentAttacker.connect(local, await local.mint());
      const [first, second] = [await attacker.begin(identity), await other.begin(identity)];
      await Promise.allSettled([
        attacker.client.prove(attacker.proof(first, identity)),
        other.client.prove(other.proof(second, identity)),
      ]);
      other.close();
      const { pairings: all } = await local.daemon.control.pairings.list(admin, {});
      expect(all.filter((one) => one.deviceId === identity.deviceId)).toHaveLength(1);
    }));
});

describe('a signed call', () => {
  it('is good for its pairing, its name and one use', () =>
    attack(async (attacker) => {
      const [{ identity: mine }, { identity: theirs }] = [
        await local.identity('mine'),
        await local.identity('theirs'),
      ];
      const plugins = await bundledAnnouncement();
      const other = await EnrolmentAttacker.connect(local, await local.mint());
      const theirPairing = await other.prove(theirs);
      const myPairing = await attacker.prove(mine);
      const stolen = await attacker.signed('AwaitDecision', theirPairing, mine);
      const badSignature = { code: 'pairing.bad_signature' };
      expect(await refusal(attacker.wait(stolen, plugins).decision)).toMatchObject(badSignature);
      const confirm = await attacker.signed('Confirm', myPairing, mine);
      expect(await refusal(attacker.wait(confirm, plugins).decision)).toMatchObject(badSignature);
      const request = await attacker.signed('AwaitDecision', myPairing, mine);
      await attacker.wait(request, plugins).pending;
      expect(await refusal(attacker.wait(request, plugins).decision)).toMatchObject(badSignature);
      const early = attacker.client.confirm(await attacker.signed('Confirm', myPairing, mine));
      expect(await refusal(early)).toMatchObject({ code: 'pairing.not_ready' });
      const made = await attacker.signed('AwaitDecision', myPairing, mine, Buffer.alloc(32, 1));
      expect(await refusal(attacker.wait(made, plugins).decision)).toMatchObject(badSignature);
      other.close();
    }));

  it('finds its nonce good after a flood of Challenge', () =>
    attack(async (attacker) => {
      const { identity } = await local.identity('patient');
      const pairingId = await attacker.prove(identity);
      const request = await attacker.signed('AwaitDecision', pairingId, identity);
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 200 }, () => attacker.client.challenge()));
      }
      await attacker.wait(request, await bundledAnnouncement()).pending;
    }));

  it('keeps at most four streams of a pairing open', () =>
    attack(async (attacker) => {
      const { identity } = await local.identity('many');
      const pairingId = await attacker.prove(identity);
      const plugins = await bundledAnnouncement();
      const streams = [];
      for (let i = 0; i < 6; i++) {
        const stream = attacker.wait(await attacker.signed('AwaitDecision', pairingId, identity), plugins);
        await stream.pending;
        streams.push(stream);
      }
      for (const stream of streams.slice(0, 2)) {
        expect(await refusal(stream.decision)).toMatchObject({ code: 'link.ended' });
      }
      const { transcript } = await local.daemon.control.pairings.get(admin, pairingId);
      await local.daemon.control.pairings.reject(admin, pairingId, { transcript });
      for (const stream of streams.slice(2)) expect((await stream.decision).kind).toBe('rejected');
    }));
});

describe('what a machine says of itself', () => {
  const altered = async (change: (descriptor: Record<string, unknown>) => unknown) => {
    const [plugin] = (await bundledAnnouncement()).filter(({ name }) => name === 'echo');
    const [echo] = plugin?.descriptors ?? [];
    if (!plugin || !echo) throw new Error('echo is bundled');
    const changed = change(JSON.parse(Buffer.from(echo.descriptor).toString('utf8')));
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed);
    let digest = echo.digest;
    try {
      digest = descriptorDigest(JSON.parse(text));
    } catch {
      // Not even a digest can be made of it: then any will do.
    }
    return [{ ...plugin, descriptors: [{ ...echo, digest, descriptor: Buffer.from(text) }] }];
  };
  const deep = (depth: number): string => `${'{"items":'.repeat(depth)}true${'}'.repeat(depth)}`;

  it.each<[string, (descriptor: Record<string, unknown>) => unknown]>([
    [
      'deeper than anyone reads',
      (one) => JSON.stringify(one).replace(/"input":\{/, `"input":{"not":${deep(3000)},`),
    ],
    [
      'with a key that reaches a prototype',
      (one) => JSON.stringify(one).replace('{', '{"__proto__":{"x":1},'),
    ],
    ['larger than 64 KiB', (one) => ({ ...one, description: 'x'.repeat(70_000) })],
    ['that is no JSON', () => '{'],
    ['of another plugin', (one) => ({ ...one, plugin: 'system-health' })],
    ['with a name that is a path', (one) => ({ ...one, name: '../echo' })],
  ])('is refused a descriptor %s', (_what, change) =>
    attack(async (attacker) => {
      const { identity } = await local.identity('hostile');
      const plugins = await altered(change);
      const pairingId = await attacker.prove(identity, plugins);
      const wait = attacker.wait(await attacker.signed('AwaitDecision', pairingId, identity), plugins);
      expect(await refusal(wait.decision)).toMatchObject({ code: 'session.invalid_announcement' });
    }),
  );

  it('is refused a set of descriptors that Begin did not announce', () =>
    attack(async (attacker) => {
      const { identity } = await local.identity('switch');
      const pairingId = await attacker.prove(identity);
      const plugins = await altered((one) => ({ ...one, title: 'Something else' }));
      const wait = attacker.wait(await attacker.signed('AwaitDecision', pairingId, identity), plugins);
      expect(await refusal(wait.decision)).toMatchObject({ code: 'pairing.invalid_request' });
    }));

  it.each(['../../x', '\u001b[2Jx', 'a\nb', '__proto__', 'x'.repeat(64), ''])(
    'does not get the name %j',
    (name) =>
      attack(async (attacker) => {
        const { identity } = await local.identity('named');
        const pairingId = await attacker.prove(identity);
        const signed = await attacker.signed('AwaitDecision', pairingId, identity);
        await attacker.wait(signed, await bundledAnnouncement(), name).pending;
        const { proposedName } = await local.daemon.control.pairings.get(admin, pairingId);
        expect(proposedName).toBe(`node-${identity.deviceId.slice(0, 7).toLowerCase()}`);
      }),
  );

  it('does not get the id of another device as its name, which would draw that one’s work', async () => {
    const victim = await local.enrol('web1');
    await local.enrol(victim.identity.deviceId);
    const error = await refusal(local.invoke(victim.identity.deviceId, 'echo', { message: 'x' }));
    expect(error).toMatchObject({
      code: 'dispatch.unknown_capability',
      message: expect.stringContaining('web1'),
    });
  });
});

describe('a flood', () => {
  it('of Begin of one address ends at four, costs the code nothing, and fills no log', () =>
    attack(async (attacker, joinString) => {
      const { identity } = await local.identity('flood');
      const before = local.log.length;
      const begun = await Promise.allSettled(Array.from({ length: 200 }, () => attacker.begin(identity)));
      const open = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(open).toHaveLength(4);
      expect(await refusal(attacker.begin(identity))).toMatchObject({
        code: 'pairing.busy',
        retryable: true,
      });
      expect(local.log.length - before).toBeLessThan(5);
      for (const one of open) {
        const junk = { ...attacker.proof(one, identity), attemptId: one.attemptId, csr: new Uint8Array(0) };
        expect(await refusal(attacker.client.prove(junk))).toMatchObject(codeRefused);
      }
      // Four wrong proofs are charged by now, and none of the 196 that got no attempt.
      expect((await local.enrol('unharmed', joinString)).membership.name).toBe('unharmed');
    }));

  it('of zeros in a small message is refused by its size', () =>
    attack(async ({ credentials }) => {
      const gzip = { ...pinnedChannelOptions, 'grpc.default_compression_algorithm': 2 };
      const client = new EnrollmentService(local.daemon.addresses.enrollment, credentials, gzip);
      const request = { pairingId: ' '.repeat(8_000_000) };
      const error = await new Promise<ServiceError | null>((resolve) => client.Confirm(request, resolve));
      client.close();
      expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    }));
});
