import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type VerifiedCaller, verifiedCaller } from '../../kernel/authority.js';
import { errorTable } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { readPrivateFile, writePrivateFile } from '../os/private-file.js';

const tokenError = errorTable('token', { malformed: { category: 'precondition', retryable: false } });

/** `pat_` and 32 random bytes in base64url. */
const shape = /^pat_[A-Za-z0-9_-]{43}$/;

/** Who holds a bearer token; undefined when nobody does. */
export type Authenticator = (token: string) => VerifiedCaller | undefined;

/**
 * The token of the local operator: that in the file, or a new one of 32 random bytes, which is written with mode 0600.
 *
 * @throws AppError `token.malformed` when the file holds something else, and those of the private file.
 * @example
 * const authenticate = authenticator(await createOrReadTokenFile('/var/lib/palyra/operator.token'));
 */
export async function createOrReadTokenFile(path: string): Promise<Secret<string>> {
  const existing = await readTokenFile(path);
  if (existing !== undefined) return existing;
  const token = `pat_${randomBytes(32).toString('base64url')}`;
  await writePrivateFile(path, `${token}\n`);
  return new Secret(token);
}

/** The token in a file; undefined when there is none. Errors as for {@link createOrReadTokenFile}. */
export async function readTokenFile(path: string): Promise<Secret<string> | undefined> {
  const content = (await readPrivateFile(path))?.toString('utf8').trim();
  if (content === undefined) return undefined;
  if (shape.test(content)) return new Secret(content);
  throw tokenError('malformed', `${path} holds no token`, {
    hint: 'Move it away and start palyrad again: it writes a new one.',
    details: { path },
  });
}

/**
 * Knows the local operator by their token. Hashes are compared, in constant time, so that neither the length nor the
 * beginning of a guess shows in the time that the answer takes.
 */
export function authenticator(token: Secret<string>): Authenticator {
  const expected = sha256(token.reveal());
  const operator = verifiedCaller({ kind: 'operator', name: 'local', role: 'admin' });
  return (presented) => (timingSafeEqual(sha256(presented), expected) ? operator : undefined);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
