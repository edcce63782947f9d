import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { AppError } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { idPattern } from '../ids.js';
import { rawPublicKey } from './ed25519.js';
import { identityError } from './identity-errors.js';
import { parseNetworkAddress } from './network-address.js';

/** What a join string holds: everything that a machine needs to find the right daemon and to prove that it was invited. */
export interface JoinString {
  /** Where the enrolment port is, `host:port` or `[v6]:port`, in order of preference; 1 to 16. */
  readonly addresses: readonly string[];
  /** SHA-256 of the DER of the daemon's CA certificate, 32 bytes. */
  readonly caSha256: Buffer;
  /** The public id of the code. */
  readonly codeId: string;
  /** 32 random bytes. */
  readonly secret: Secret<Buffer>;
}

/** The part of a join string that an error is about. */
type Part = 'scheme' | 'version' | 'addresses' | 'caSha256' | 'codeId' | 'secret';

const scheme = 'palyra://join/';
const version = 'v1';
const maxLength = 4096;
const maxAddresses = 16;
const hash = /^[A-Za-z0-9_-]{43}$/;
const codeIds = idPattern('pc');
/** The fixed start of an Ed25519 private key in PKCS #8 DER (RFC 8410 section 7); the 32-byte seed follows. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const keyLabel = 'palyra join key v1';
const pasteHint =
  'Copy the whole join string from `palyra pair`, from `palyra://join/` to its last character.';

/**
 * Writes a join string: `palyra://join/v1/<addresses>/<CA SHA-256>/<code id>/<secret>`, hashes in base64url. It has no
 * `?`, `&` or quote, so that it survives an unquoted paste into a POSIX shell.
 *
 * @throws AppError `identity.invalid_join_string` when a part could not be read back.
 */
export function formatJoinString(parts: JoinString): string {
  const fields = [
    parts.addresses.join(','),
    parts.caSha256.toString('base64url'),
    parts.codeId,
    parts.secret.reveal().toString('base64url'),
  ];
  const text = `${scheme}${version}/${fields.join('/')}`;
  parseJoinString(text);
  return text;
}

/**
 * Reads a join string. White space and one pair of quotes around it are taken off; nothing else is forgiven.
 *
 * @throws AppError `identity.invalid_join_string`; its `fields` name the part that is wrong. The text itself, which
 *   holds a secret, is never quoted.
 * @example
 * const { addresses, caSha256 } = parseJoinString(process.env['JOIN'] ?? '');
 */
export function parseJoinString(text: string): JoinString {
  const bare = unquote(text.trim());
  if (bare.length > maxLength) throw invalid('scheme', `is longer than ${maxLength} characters`);
  if (!bare.startsWith(scheme)) throw invalid('scheme', `does not start with ${scheme}`);
  const [given = '', addresses, ca, codeId, secret, ...rest] = bare.slice(scheme.length).split('/');
  if (given !== version) {
    throw invalid(
      'version',
      /^v[0-9]+$/.test(given) ? `is ${given}; this program reads ${version}` : 'is missing',
    );
  }
  if (!addresses) throw truncated('addresses');
  const list = addresses.split(',');
  if (list.length > maxAddresses)
    throw invalid('addresses', `are ${list.length}; at most ${maxAddresses} are allowed`);
  const wrong = list.findIndex((address) => parseNetworkAddress(address) === undefined);
  if (wrong !== -1) throw invalid('addresses', `hold something else than host:port at place ${wrong + 1}`);
  const caSha256 = readHash('caSha256', ca);
  if (!codeId) throw truncated('codeId');
  if (!codeIds.test(codeId)) throw invalid('codeId', 'is not the id of a code');
  const revealed = readHash('secret', secret);
  if (rest.length > 0) throw invalid('secret', 'is followed by more text');
  return { addresses: list, caSha256, codeId, secret: new Secret(revealed) };
}

/** The key pair that a join string's secret stands for. */
export interface JoinKey {
  readonly privateKey: KeyObject;
  /** The raw Ed25519 public key, 32 bytes: all that the daemon keeps. */
  readonly publicKey: Buffer;
}

/**
 * The Ed25519 key of a join string: HKDF-SHA-256 (RFC 5869) of the secret with a label of its own gives the seed.
 *
 * @param secret 32 bytes.
 */
export function joinKeyFromSecret(secret: Uint8Array): JoinKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), keyLabel, 32));
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

function unquote(text: string): string {
  const quote = text.charAt(0);
  const quoted = text.length > 1 && (quote === "'" || quote === '"') && text.endsWith(quote);
  return quoted ? text.slice(1, -1).trim() : text;
}

function readHash(part: 'caSha256' | 'secret', text: string | undefined): Buffer {
  if (!text) throw truncated(part);
  if (text.length < 43 && /^[A-Za-z0-9_-]*$/.test(text)) {
    throw invalid(part, `has ${text.length} characters instead of 43: it was cut off`);
  }
  const bytes = Buffer.from(text, 'base64url');
  if (!hash.test(text) || bytes.toString('base64url') !== text) {
    throw invalid(part, 'is not 43 characters of base64url');
  }
  return bytes;
}

function truncated(part: Part): AppError {
  return invalid(part, 'is missing: the string was cut off before it');
}

const partNames: Readonly<Record<Part, string>> = {
  scheme: 'the text',
  version: 'the version',
  addresses: 'the addresses',
  caSha256: 'the hash of the CA certificate',
  codeId: 'the code id',
  secret: 'the secret',
};

function invalid(part: Part, problem: string): AppError {
  return identityError(
    'invalid_join_string',
    `This join string can't be used: ${partNames[part]} ${problem}`,
    {
      hint: pasteHint,
      fields: [{ field: part, message: problem }],
    },
  );
}
