import { createECDH, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { identityError } from './identity-errors.js';

/*
 * SPAKE2 as RFC 9382 defines it, in its ciphersuite SPAKE2-P256-SHA256-HKDF-HMAC. A and B share a weak password. They
 * get a strong key from it, and whoever sits between them gets one guess of the password for each exchange, no more.
 */

const { Point } = p256;
type Point = InstanceType<typeof Point>;

/** Bits of the scalar that each row of a fixed point's table is for: a table takes 5 ms, at its first use, and saves 2.5 ms each time. */
const windowBits = 4;

/** M and N of RFC 9382 section 4: nobody knows their discrete logarithms. */
const fixedPoints = {
  A: Point.fromHex('02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f').precompute(
    windowBits,
  ),
  B: Point.fromHex('03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49').precompute(
    windowBits,
  ),
} as const;

/** Who one is: `A` sends the first share and confirms first. */
export type Spake2Role = keyof typeof fixedPoints;

/** Bytes of an uncompressed point of P-256 (SEC 1), which is what crosses the wire. */
const shareLength = 65;

/** Bytes that {@link Spake2Password.fromHash} wants at least: 64 bits more than the order, so that `w` is not biased. */
export const passwordHashLength = 40;

/**
 * `w`, the password as a scalar, with its two points, which every exchange needs. It is as good as the password: keep
 * it in memory and in a `Secret`, and nowhere else.
 */
export class Spake2Password {
  readonly scalar: bigint;
  readonly masks: Readonly<Record<Spake2Role, Point>>;

  private constructor(scalar: bigint) {
    this.scalar = scalar;
    this.masks = { A: fixedPoints.A.multiply(scalar), B: fixedPoints.B.multiply(scalar) };
  }

  /**
   * `w` from what a memory-hard function made of the password (RFC 9382 section 3.2), reduced by the order of the group.
   *
   * @param hash at least 40 bytes.
   * @throws RangeError when it is shorter.
   */
  static fromHash(hash: Uint8Array): Spake2Password {
    if (hash.length < passwordHashLength) {
      throw new RangeError(
        `The hash of a password has at least ${passwordHashLength} bytes, not ${hash.length}`,
      );
    }
    return new Spake2Password(numberOf(hash) % Point.Fn.ORDER);
  }
}

/** What {@link Spake2.finish} takes beside the peer's share. */
export interface Spake2Context {
  readonly peerShare: Uint8Array;
  /** Names of both sides; both must give the same two. */
  readonly identities: Readonly<Record<Spake2Role, Uint8Array>>;
  /** What else both sides must agree on: AAD of RFC 9382 section 3.3. */
  readonly additionalData: Uint8Array;
}

/** The end of an exchange. */
export interface Spake2Keys {
  /** TT of RFC 9382 section 3.3. */
  readonly transcript: Buffer;
  /** Ke, 16 bytes: the key that the protocol is for. Use it only after the peer has confirmed. */
  readonly sharedKey: Buffer;
  /** Proves to the peer that this side has the key; 32 bytes. */
  readonly confirmation: Buffer;
  /** Whether the peer has the key. Takes the same time wherever the first difference is. */
  isConfirmedBy(peerConfirmation: Uint8Array): boolean;
}

/**
 * One side of one exchange: it has one share and is finished once.
 *
 * @example
 * const a = new Spake2('A', password);
 * const b = new Spake2('B', password);
 * const ofA = a.finish({ peerShare: b.share, identities, additionalData });
 * const ofB = b.finish({ peerShare: a.share, identities, additionalData });
 * ofB.isConfirmedBy(ofA.confirmation); // true
 */
export class Spake2 {
  /** pA or pB: 65 bytes, an uncompressed point. */
  readonly share: Buffer;
  readonly #role: Spake2Role;
  readonly #password: Spake2Password;
  readonly #scalar: bigint;

  /** @param secret the exchange's secret scalar, 32 bytes; for test vectors. Default: random. */
  constructor(role: Spake2Role, password: Spake2Password, secret: Uint8Array = p256.utils.randomSecretKey()) {
    this.#role = role;
    this.#password = password;
    this.#scalar = Point.Fn.fromBytes(secret);
    this.share = encode(multipleOfBase(secret).add(password.masks[role]));
  }

  /**
   * Both sides' keys from the peer's share. That the peer knows the password shows only in its confirmation.
   *
   * @throws AppError `identity.invalid_share` as {@link requireShare}, and when the share gives no key.
   */
  finish({ peerShare, identities, additionalData }: Spake2Context): Spake2Keys {
    const peer = this.#role === 'A' ? 'B' : 'A';
    const unmasked = decode(peerShare).subtract(this.#password.masks[peer]);
    // P-256 has no small subgroups: this is the only way to a key that does not depend on the secret.
    if (unmasked.is0()) throw invalidShare('gives no key');
    const group = encode(unmasked.multiply(this.#scalar));
    const [shareA, shareB] = this.#role === 'A' ? [this.share, peerShare] : [peerShare, this.share];
    const w = Point.Fn.toBytes(this.#password.scalar);
    const transcript = withLengths(identities.A, identities.B, shareA, shareB, group, w);
    const hash = createHash('sha256').update(transcript).digest();
    const half = hash.length / 2;
    const info = Buffer.concat([Buffer.from('ConfirmationKeys'), additionalData]);
    const keys = Buffer.from(hkdfSync('sha256', hash.subarray(half), Buffer.alloc(0), info, 2 * half));
    const macs = { A: mac(keys.subarray(0, half), transcript), B: mac(keys.subarray(half), transcript) };
    return {
      transcript,
      sharedKey: hash.subarray(0, half),
      confirmation: macs[this.#role],
      isConfirmedBy: (confirmation) =>
        confirmation.length === macs[peer].length && timingSafeEqual(confirmation, macs[peer]),
    };
  }
}

/**
 * Checks a share before anything is done with it.
 *
 * @throws AppError `identity.invalid_share` when it is not an uncompressed point of the curve; the identity has no such form.
 */
export function requireShare(share: Uint8Array): void {
  decode(share);
}

function decode(share: Uint8Array): Point {
  if (share.length !== shareLength) throw invalidShare(`has ${share.length} bytes instead of ${shareLength}`);
  try {
    return Point.fromBytes(share);
  } catch {
    throw invalidShare('is not a point of the curve P-256');
  }
}

/** By OpenSSL: 0.1 ms, where the tables of the curve library for it would take 20 ms, once, of the loop that carries the sessions. */
function multipleOfBase(scalar: Uint8Array): Point {
  const keys = createECDH('prime256v1');
  keys.setPrivateKey(scalar);
  return Point.fromBytes(keys.getPublicKey());
}

function encode(point: Point): Buffer {
  return Buffer.from(point.toBytes(false));
}

function invalidShare(problem: string) {
  return identityError('invalid_share', `The SPAKE2 share ${problem}`, {
    fields: [{ field: 'share', message: problem }],
  });
}

/** Each part after its length, 8 bytes little-endian (RFC 9382 section 3.3). */
function withLengths(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(part.length));
      return [length, part];
    }),
  );
}

function mac(key: Uint8Array, message: Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
