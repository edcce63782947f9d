import { expect, test } from 'vitest';
import { Secret } from '../../kernel/secret.js';
import { decrypted, encrypted } from './archive-cipher.js';
import { ByteReader } from './byte-reader.js';

const passphrase = new Secret('correct horse battery');
const chunk = 64 * 1024;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const seal = (plain: Buffer): Promise<Buffer> =>
  joined(encrypted(inPieces(plain, 1000), passphrase, 2 ** 10));
const open = (sealed: Buffer, size = 777): Promise<Buffer> =>
  joined(decrypted(new ByteReader(inPieces(sealed, size)), passphrase));

test.each([0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 5])(
  '%i bytes come back, however they arrive',
  async (length) => {
    const plain = Buffer.alloc(length, 'abc');
    const sealed = await seal(plain);
    for (const size of [1_000_000, chunk + 16, 4096])
      expect((await open(sealed, size)).equals(plain)).toBe(true);
  },
);

test('a stream that ends where a chunk ends is as torn as any', async () => {
  const sealed = await seal(Buffer.alloc(3 * chunk + 5));
  const header = sealed.indexOf('\n') + 1;
  for (const chunks of [0, 1, 2, 3]) {
    const cut = sealed.subarray(0, header + chunks * (chunk + 16));
    await expect(open(cut)).rejects.toMatchObject({ code: 'backup.damaged' });
  }
  // Also when the last chunk is a full one.
  const full = await seal(Buffer.alloc(2 * chunk));
  await expect(open(full.subarray(0, header + chunk + 16))).rejects.toMatchObject({ code: 'backup.damaged' });
});

test('nothing is given out of a chunk that was changed', async () => {
  const sealed = await seal(Buffer.alloc(2 * chunk, 'abc'));
  const header = sealed.indexOf('\n') + 1;
  sealed.writeUInt8(sealed.readUInt8(header + 5) ^ 1, header + 5);
  const pieces = decrypted(new ByteReader(inPieces(sealed, 4096)), passphrase);
  await expect(pieces.next()).rejects.toMatchObject({ code: 'backup.damaged' });
});
