import { randomBytes } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { passwordHashLength, requireShare, Spake2, Spake2Password } from './spake2.js';

/** RFC 9382 appendix B: all vectors of SPAKE2-P256-SHA256-HKDF-HMAC. Values are hexadecimal. */
const vectors = [
  {
    A: 'server',
    B: 'client',
    w: '2ee57912099d31560b3a44b1184b9b4866e904c49d12ac5042c97dca461b1a5f',
    x: '43dd0fd7215bdcb482879fca3220c6a968e66d70b1356cac18bb26c84a78d729',
    pA: '04a56fa807caaa53a4d28dbb9853b9815c61a411118a6fe516a8798434751470f9010153ac33d0d5f2047ffdb1a3e42c9b4e6be662766e1eeb4116988ede5f912c',
    y: 'dcb60106f276b02606d8ef0a328c02e4b629f84f89786af5befb0bc75b6e66be',
    pB: '0406557e482bd03097ad0cbaa5df82115460d951e3451962f1eaf4367a420676d09857ccbc522686c83d1852abfa8ed6e4a1155cf8f1543ceca528afb591a1e0b7',
    K: '0412af7e89717850671913e6b469ace67bd90a4df8ce45c2af19010175e37eed69f75897996d539356e2fa6a406d528501f907e04d97515fbe83db277b715d3325',
    Ke: '0e0672dc86f8e45565d338b0540abe69',
    confirmA: '58ad4aa88e0b60d5061eb6b5dd93e80d9c4f00d127c65b3b35b1b5281fee38f0',
    confirmB: 'd3e2e547f1ae04f2dbdbf0fc4b79f8ecff2dff314b5d32fe9fcef2fb26dc459b',
  },
  {
    A: '',
    B: 'client',
    w: '0548d8729f730589e579b0475a582c1608138ddf7054b73b5381c7e883e2efae',
    x: '403abbe3b1b4b9ba17e3032849759d723939a27a27b9d921c500edde18ed654b',
    pA: '04a897b769e681c62ac1c2357319a3d363f610839c4477720d24cbe32f5fd85f44fb92ba966578c1b712be6962498834078262caa5b441ecfa9d4a9485720e918a',
    y: '903023b6598908936ea7c929bd761af6039577a9c3f9581064187c3049d87065',
    pB: '04e0f816fd1c35e22065d5556215c097e799390d16661c386e0ecc84593974a61b881a8c82327687d0501862970c64565560cb5671f696048050ca66ca5f8cc7fc',
    K: '048f83ec9f6e4f87cc6f9dc740bdc2769725f923364f01c84148c049a39a735ebda82eac03e00112fd6a5710682767cff5361f7e819e53d8d3c3a2922e0d837aa6',
    Ke: '642f05c473c2cd79909f9a841e2f30a7',
    confirmA: '47d29e6666af1b7dd450d571233085d7a9866e4d49d2645e2df975489521232b',
    confirmB: '3313c5cefc361d27fb16847a91c2a73b766ffa90a4839122a9b70a2f6bd1d6df',
  },
  {
    A: 'server',
    B: '',
    w: '626e0cdc7b14c9db3e52a0b1b3a768c98e37852d5db30febe0497b14eae8c254',
    x: '07adb3db6bc623d3399726bfdbfd3d15a58ea776ab8a308b00392621291f9633',
    pA: '04f88fb71c99bfffaea370966b7eb99cd4be0ff1a7d335caac4211c4afd855e2e15a873b298503ad8ba1d9cbb9a392d2ba309b48bfd7879aefd0f2cea6009763b0',
    y: 'b6a4fc8dbb629d4ba51d6f91ed1532cf87adec98f25dd153a75accafafedec16',
    pB: '040c269d6be017dccb15182ac6bfcd9e2a14de019dd587eaf4bdfd353f031101e7cca177f8eb362a6e83e7d5e729c0732e1b528879c086f39ba0f31a9661bd34db',
    K: '0445ee233b8ecb51ebd6e7da3f307e88a1616bae2166121221fdc0dadb986afaf3ec8a988dc9c626fa3b99f58a7ca7c9b844bb3e8dd9554aafc5b53813504c1cbe',
    Ke: '005184ff460da2ce59062c87733c299c',
    confirmA: 'bc9f9bbe99f26d0b2260e6456e05a86196a3307ec6663a18bf6ac825736533b2',
    confirmB: 'c2370e1bf813b086dff0d834e74425a06e6390f48f5411900276dcccc5a297ec',
  },
  {
    A: '',
    B: '',
    w: '7bf46c454b4c1b25799527d896508afd5fc62ef4ec59db1efb49113063d70cca',
    x: '8cef65df64bb2d0f83540c53632de911b5b24b3eab6cc74a97609fd659e95473',
    pA: '04a65b367a3f613cf9f0654b1b28a1e3a8a40387956c8ba6063e8658563890f46ca1ef6a676598889fc28de2950ab8120b79a5ef1ea4c9f44bc98f585634b46d66',
    y: 'd7a66f64074a84652d8d623a92e20c9675c61cb5b4f6a0063e4648a2fdc02d53',
    pB: '04589f13218822710d98d8b2123a079041052d9941b9cf88c6617ddb2fcc0494662eea8ba6b64692dc318250030c6af045cb738bc81ba35b043c3dcb46adf6f58d',
    K: '041a3c03d51b452537ca2a1fea6110353c6d5ed483c4f0f86f4492ca3f378d40a994b4477f93c64d928edbbcd3e85a7c709b7ea73ee97986ce3d1438e135543772',
    Ke: 'fc6374762ba5cf11f4b2caa08b2cd1b9',
    confirmA: 'dfb4db8d48ae5a675963ea5e6c19d98d4ea028d8e898dad96ea19a80ade95dca',
    confirmB: 'd0f0609d1613138d354f7e95f19fb556bf52d751947241e8c7118df5ef0ae175',
  },
] as const;

const bytes = (hex: string) => Buffer.from(hex, 'hex');
/** The password whose scalar is `w`: the hash is `w` with zeros in front. */
const passwordOf = (w: string) => Spake2Password.fromHash(bytes(w.padStart(2 * passwordHashLength, '0')));
const nothing = Buffer.alloc(0);
const nobody = { A: nothing, B: nothing };

/** Ends an exchange on both sides; `password` and `additionalData` as each side has them. */
function exchange(a: Spake2Password, b = a, dataOfA: Uint8Array = nothing, dataOfB = dataOfA) {
  const [sideA, sideB] = [new Spake2('A', a), new Spake2('B', b)];
  const ofA = sideA.finish({ peerShare: sideB.share, identities: nobody, additionalData: dataOfA });
  const ofB = sideB.finish({ peerShare: sideA.share, identities: nobody, additionalData: dataOfB });
  return { ofA, ofB };
}

describe('SPAKE2 (RFC 9382)', () => {
  it.each(vectors)('gives every value of the vector with A = "$A" and B = "$B"', (vector) => {
    const identities = { A: Buffer.from(vector.A), B: Buffer.from(vector.B) };
    const a = new Spake2('A', passwordOf(vector.w), bytes(vector.x));
    const b = new Spake2('B', passwordOf(vector.w), bytes(vector.y));
    expect(a.share.toString('hex')).toBe(vector.pA);
    expect(b.share.toString('hex')).toBe(vector.pB);
    const ofA = a.finish({ peerShare: b.share, identities, additionalData: nothing });
    const ofB = b.finish({ peerShare: a.share, identities, additionalData: nothing });
    const parts = [identities.A, identities.B, ...[vector.pA, vector.pB, vector.K, vector.w].map(bytes)];
    const transcript = parts.map((part) => {
      const length = part.length.toString(16).padStart(2, '0');
      return `${length}00000000000000${part.toString('hex')}`;
    });
    for (const keys of [ofA, ofB]) {
      expect(keys.transcript.toString('hex')).toBe(transcript.join(''));
      expect(keys.sharedKey.toString('hex')).toBe(vector.Ke);
    }
    expect(ofA.confirmation.toString('hex')).toBe(vector.confirmA);
    expect(ofB.confirmation.toString('hex')).toBe(vector.confirmB);
    expect(ofA.isConfirmedBy(bytes(vector.confirmB))).toBe(true);
    expect(ofB.isConfirmedBy(bytes(vector.confirmA))).toBe(true);
  });

  const password = Spake2Password.fromHash(randomBytes(passwordHashLength));

  it('is confirmed by the peer alone: not by itself, nor by a part or a change of the confirmation', () => {
    const { ofA, ofB } = exchange(password, password, Buffer.from('transcript'));
    expect(ofA.isConfirmedBy(ofB.confirmation)).toBe(true);
    const changed = Buffer.from(ofB.confirmation);
    changed[31] = (changed[31] ?? 0) ^ 1;
    for (const wrong of [ofA.confirmation, changed, ofB.confirmation.subarray(1), nothing]) {
      expect(ofA.isConfirmedBy(wrong)).toBe(false);
    }
  });

  it('is not confirmed with another password or other additional data', () => {
    const other = Spake2Password.fromHash(randomBytes(passwordHashLength));
    for (const { ofA, ofB } of [
      exchange(password, other),
      exchange(password, password, Buffer.from('seen'), Buffer.from('changed')),
    ]) {
      expect(ofB.isConfirmedBy(ofA.confirmation)).toBe(false);
      expect(ofA.isConfirmedBy(ofB.confirmation)).toBe(false);
    }
  });

  it('has another share in each exchange', () => {
    const shares = Array.from({ length: 8 }, () => new Spake2('A', password).share.toString('hex'));
    expect(new Set(shares).size).toBe(8);
  });

  const valid = new Spake2('A', password).share;
  const offCurve = Buffer.from(valid);
  offCurve[64] = (offCurve[64] ?? 0) ^ 1;
  it.each([
    ['nothing', nothing],
    ['the identity (SEC 1)', Buffer.of(0)],
    ['zeros', Buffer.alloc(65)],
    ['zeros as a point', Buffer.concat([Buffer.of(4), Buffer.alloc(64)])],
    ['a point that is not on the curve', offCurve],
    ['a coordinate beyond the field', Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)])],
    ['a compressed point', Buffer.from(p256.Point.BASE.toBytes(true))],
    ['a byte too few', valid.subarray(0, 64)],
    ['a byte too many', Buffer.concat([valid, Buffer.of(0)])],
    ['another encoding of a point', Buffer.concat([Buffer.of(6), valid.subarray(1)])],
  ])('refuses %s as a share', (_what, share) => {
    const refused = expect.objectContaining({ code: 'identity.invalid_share' });
    expect(() => requireShare(share)).toThrow(refused);
    const context = { peerShare: share, identities: nobody, additionalData: nothing };
    expect(() => new Spake2('B', password).finish(context)).toThrow(AppError);
  });

  it('refuses a share that is the mask itself, after which the key would depend on nobody’s secret', () => {
    const peerShare = password.masks.A.toBytes(false);
    const context = { peerShare, identities: nobody, additionalData: nothing };
    expect(() => new Spake2('B', password).finish(context)).toThrow(/gives no key/);
  });

  it('takes no hash of a password that would bias its scalar', () => {
    expect(() => Spake2Password.fromHash(randomBytes(39))).toThrow(RangeError);
    const order = p256.Point.Fn.ORDER;
    const wide = bytes((order + 5n).toString(16).padStart(80, '0'));
    expect(Spake2Password.fromHash(wide).scalar).toBe(5n);
  });
});
