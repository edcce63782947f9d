import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../kernel/secret.js';
import { keyringFile, writeKeyring } from './keyring.js';
import { standardCost } from './passphrase-key.js';
import { removePassphrase, SecretFiles, setPassphrase } from './secret-files.js';

const passphrase = new Secret('correct horse battery');
const other = new Secret('another horse battery');
const key = 'the private key of everything';
const messages: string[] = [];
const log = { info: (_fields: object, message: string) => messages.push(message) };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-secrets-'));
  messages.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A keyring whose key costs little to derive. */
const cheapKeyring = () => writeKeyring(directory, passphrase, undefined, 2 ** 10);
const path = (name: string): string => join(directory, name);

async function everything(): Promise<string> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => readFile(path(name), 'latin1')))).join('\n');
}

describe('without a passphrase', () => {
  test('a file is private and lies there as it is', async () => {
    const files = await SecretFiles.open(directory, undefined, log);
    await files.write('ca.key', new Secret(key));
    expect(await readFile(path('ca.key'), 'utf8')).toBe(key);
    expect((await stat(path('ca.key'))).mode & 0o777).toBe(0o600);
    expect((await files.read('ca.key'))?.reveal().toString()).toBe(key);
    expect(await files.read('tls.key')).toBeUndefined();
    expect(await readdir(directory)).toEqual(['ca.key']);
  });

  test('a file that others can read is refused', async () => {
    const files = await SecretFiles.open(directory, undefined, log);
    await files.write('ca.key', new Secret(key));
    await chmod(path('ca.key'), 0o640);
    await expect(files.read('ca.key')).rejects.toMatchObject({ code: 'private_file.exposed' });
  });
});

describe('with a passphrase', () => {
  test('what lay there in clear is sealed at the next start, and what is written later is too', async () => {
    const before = await SecretFiles.open(directory, undefined, log);
    for (const name of ['ca.key', 'server.json']) await before.write(name, new Secret(key));
    await writeFile(path('ca.crt'), 'public', { mode: 0o600 });
    const files = await SecretFiles.open(directory, passphrase, log);
    expect(messages).toEqual([
      'From now on the keys in this directory are sealed with the passphrase',
      'Sealed a key that lay in clear',
      'Sealed a key that lay in clear',
    ]);
    await files.write('tls.key', new Secret(Buffer.from(key)));
    for (const text of [key, passphrase.reveal(), Buffer.from(key).toString('base64')]) {
      expect(await everything()).not.toContain(text);
    }
    expect(await readFile(path('ca.crt'), 'utf8')).toBe('public');
    const again = await SecretFiles.open(directory, passphrase, log);
    for (const name of ['ca.key', 'server.json', 'tls.key']) {
      expect((await again.read(name))?.reveal().toString()).toBe(key);
      expect((await stat(path(name))).mode & 0o777).toBe(0o600);
    }
    const { kdf } = JSON.parse(await readFile(path(keyringFile), 'utf8'));
    expect(kdf).toMatchObject({ name: 'scrypt', cost: standardCost, blockSize: 8 });
  });

  test('a start without it, or with another, is refused and says what to do', async () => {
    await cheapKeyring();
    await expect(SecretFiles.open(directory, undefined, log)).rejects.toMatchObject({
      code: 'passphrase.missing',
      category: 'precondition',
      hint: expect.stringContaining('PALYRA_PASSPHRASE_FILE'),
    });
    await expect(SecretFiles.open(directory, other, log)).rejects.toMatchObject({ code: 'passphrase.wrong' });
  });

  test('a new one that is short is refused, and nothing is written', async () => {
    const short = new Secret('eleven char');
    await expect(SecretFiles.open(directory, short, log)).rejects.toMatchObject({
      code: 'passphrase.too_short',
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    [
      'a byte was changed',
      async () => {
        const text = await readFile(path('ca.key'), 'utf8');
        await writeFile(
          path('ca.key'),
          text.slice(0, -5) + (text.at(-5) === 'A' ? 'B' : 'A') + text.slice(-4),
        );
      },
    ],
    [
      'it was cut',
      async () => writeFile(path('ca.key'), (await readFile(path('ca.key'), 'utf8')).slice(0, 40)),
    ],
    ['another file was put in its place', () => copyFile(path('tls.key'), path('ca.key'))],
    [
      'it was sealed in another directory',
      async () => {
        const text = await readFile(path('ca.key'), 'utf8');
        await writeFile(path('ca.key'), text.replace(/ [0-9a-f]{16}\n/, ' 0000000000000000\n'));
      },
    ],
  ])('a sealed file is refused when %s', async (_what, change) => {
    await cheapKeyring();
    const files = await SecretFiles.open(directory, passphrase, log);
    for (const name of ['ca.key', 'tls.key']) await files.write(name, new Secret(key));
    await change();
    const reopened = await SecretFiles.open(directory, passphrase, log);
    await expect(reopened.read('ca.key')).rejects.toMatchObject({
      code: 'passphrase.damaged',
      message: expect.stringContaining(path('ca.key')),
    });
  });

  test('a keyring that is gone is not made anew for what it had sealed', async () => {
    await cheapKeyring();
    await (await SecretFiles.open(directory, passphrase, log)).write('ca.key', new Secret(key));
    await rm(path(keyringFile));
    const files = await SecretFiles.open(directory, undefined, log);
    await expect(files.read('ca.key')).rejects.toMatchObject({
      code: 'passphrase.damaged',
      message: expect.stringContaining('keyring'),
    });
    await expect(
      SecretFiles.open(directory, passphrase, log).then((it) => it.read('ca.key')),
    ).rejects.toMatchObject({
      code: 'passphrase.damaged',
    });
  });

  test.each([
    ['is no JSON', () => 'nonsense'],
    ['is of a newer version', (ring: object) => JSON.stringify({ ...ring, version: 2 })],
    [
      'asks for all memory',
      (ring: { kdf: object }) => JSON.stringify({ ...ring, kdf: { ...ring.kdf, cost: 2 ** 30 } }),
    ],
    [
      'asks for no work',
      (ring: { kdf: object }) => JSON.stringify({ ...ring, kdf: { ...ring.kdf, cost: 2 } }),
    ],
  ])('a keyring is refused that %s', async (_what, change) => {
    await cheapKeyring();
    await writeFile(path(keyringFile), change(JSON.parse(await readFile(path(keyringFile), 'utf8'))));
    await expect(SecretFiles.open(directory, passphrase, log)).rejects.toMatchObject({
      code: 'passphrase.damaged',
    });
  });

  test('a keyring whose parameters were weakened does not open', async () => {
    await cheapKeyring();
    const ring = JSON.parse(await readFile(path(keyringFile), 'utf8'));
    await writeFile(path(keyringFile), JSON.stringify({ ...ring, kdf: { ...ring.kdf, cost: 2 ** 11 } }));
    await expect(SecretFiles.open(directory, passphrase, log)).rejects.toMatchObject({
      code: 'passphrase.wrong',
    });
  });
});

describe('the passphrase', () => {
  test('is changed without sealing anything anew', async () => {
    await cheapKeyring();
    await (await SecretFiles.open(directory, passphrase, log)).write('ca.key', new Secret(key));
    const sealed = await readFile(path('ca.key'), 'utf8');
    await setPassphrase(directory, passphrase, other, log);
    expect(await readFile(path('ca.key'), 'utf8')).toBe(sealed);
    const files = await SecretFiles.open(directory, other, log);
    expect((await files.read('ca.key'))?.reveal().toString()).toBe(key);
    await expect(SecretFiles.open(directory, passphrase, log)).rejects.toMatchObject({
      code: 'passphrase.wrong',
    });
  });

  test('is not changed by who does not know it', async () => {
    await cheapKeyring();
    const before = await everything();
    for (const wrong of [undefined, other]) {
      await expect(setPassphrase(directory, wrong, other, log)).rejects.toMatchObject({
        code: wrong ? 'passphrase.wrong' : 'passphrase.missing',
      });
      await expect(removePassphrase(directory, wrong, log)).rejects.toMatchObject({
        code: wrong ? 'passphrase.wrong' : 'passphrase.missing',
      });
    }
    expect(await everything()).toBe(before);
  });

  test('is set where there was none, and taken away', async () => {
    await (await SecretFiles.open(directory, undefined, log)).write('identity.key', new Secret(key));
    await setPassphrase(directory, undefined, passphrase, log);
    expect(await everything()).not.toContain(key);
    await removePassphrase(directory, passphrase, log);
    expect(await readdir(directory)).toEqual(['identity.key']);
    expect(await readFile(path('identity.key'), 'utf8')).toBe(key);
    await expect(removePassphrase(directory, passphrase, log)).rejects.toMatchObject({
      code: 'passphrase.not_set',
    });
  });

  test('whose removal was broken off still opens everything, and is removed by trying again', async () => {
    await cheapKeyring();
    const files = await SecretFiles.open(directory, passphrase, log);
    for (const name of ['ca.key', 'server.json']) await files.write(name, new Secret(key));
    const names = ['ca.key', keyringFile];
    const kept = await Promise.all(names.map((name) => readFile(path(name))));
    await removePassphrase(directory, passphrase, log);
    // Ended after the second file was written in clear and before the first, and so before the keyring was deleted.
    for (const [index, name] of names.entries())
      await writeFile(path(name), kept[index] ?? '', { mode: 0o600 });
    expect(await readFile(path('server.json'), 'utf8')).toBe(key);
    expect(await readFile(path('ca.key'), 'utf8')).not.toBe(key);
    await removePassphrase(directory, passphrase, log);
    for (const name of ['ca.key', 'server.json']) expect(await readFile(path(name), 'utf8')).toBe(key);
    expect((await readdir(directory)).sort()).toEqual(['ca.key', 'server.json']);
  });
});
