import { type BinaryLike, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../../kernel/secret.js';

/** How a key is made of a passphrase (scrypt, RFC 7914). Stored beside what the key protects. */
export interface ScryptParameters {
  readonly name: 'scrypt';
  /** N: memory is 128 · N · r bytes. */
  readonly cost: number;
  /** r */
  readonly blockSize: number;
  /** p */
  readonly parallelization: number;
  /** 32 bytes, base64url. */
  readonly salt: string;
}

/** 128 MiB and about 0.4 s a guess on one core, as OWASP's password storage guide recommends for N = 2^17. */
export const standardCost = 2 ** 17;

/** What is taken from a file: a forged one must not make this process use up its memory. */
const costs = { least: 2 ** 10, most: 2 ** 18 } as const;

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

/** Parameters with a fresh salt. `cost` is a power of two; less than the standard is for tests. */
export function freshParameters(cost = standardCost): ScryptParameters {
  const salt = randomBytes(32).toString('base64url');
  return { name: 'scrypt', cost, blockSize: 8, parallelization: 1, salt };
}

/** Whether what was read from a file are parameters that this program would use. */
export function areParameters(value: unknown): value is ScryptParameters {
  if (typeof value !== 'object' || value === null) return false;
  const { name, cost, blockSize, parallelization, salt } = value as Partial<Record<string, unknown>>;
  return (
    name === 'scrypt' &&
    typeof cost === 'number' &&
    cost >= costs.least &&
    cost <= costs.most &&
    Number.isInteger(Math.log2(cost)) &&
    blockSize === 8 &&
    parallelization === 1 &&
    typeof salt === 'string' &&
    /^[\w-]{43}$/.test(salt)
  );
}

/** The key of 32 bytes that a passphrase stands for. Takes as long as the cost says, in the thread pool. */
export async function keyOfPassphrase(
  passphrase: Secret<string>,
  { cost, blockSize, parallelization, salt }: ScryptParameters,
): Promise<Buffer> {
  return derive(passphrase.reveal(), Buffer.from(salt, 'base64url'), 32, {
    N: cost,
    r: blockSize,
    p: parallelization,
    maxmem: 256 * cost * blockSize,
  });
}
