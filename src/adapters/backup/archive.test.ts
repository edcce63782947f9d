import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Header } from 'tar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../kernel/secret.js';
import { encrypted } from './archive-cipher.js';
import { type Manifest, manifestOf } from './manifest.js';
import { readBackup } from './read-backup.js';
import { type TarFile, tarOf } from './tar-archive.js';

const passphrase = new Secret('correct horse battery');
const cheap = 2 ** 10;
/** So that an encrypted archive has three full chunks and a part of one. */
const database = Buffer.alloc(3 * 64 * 1024 + 1000, 'records ');
const contents: Readonly<Record<string, Buffer>> = {
  'ca.crt': Buffer.from('certificate'),
  'ca.key': Buffer.from('the private key'),
  'palyra.db': database,
  'revocations.log': Buffer.from(''),
};

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-archive-'));
  file = join(directory, 'backup');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function manifest(files = contents): Manifest {
  return manifestOf({
    version: '0.1.0',
    createdAt: '2026-01-02T03:04:05.000Z',
    authorities: [{ id: 'a'.repeat(64), fingerprint: 'b'.repeat(64) }],
    files: Object.entries(files).map(([name, bytes]) => ({
      name: name as Manifest['files'][number]['name'],
      size: bytes.length,
      sha256: sha256(bytes),
    })),
  });
}

function fileOf(name: string, content: Buffer): TarFile {
  return { name, size: content.length, content: [content] };
}

function checksumOf(head: Buffer): TarFile {
  return fileOf('manifest.json.sha256', Buffer.from(`${sha256(head)}  manifest.json\n`));
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** An archive with any manifest and files, right or wrong. */
function archive(listed: unknown = manifest(), files = contents): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, content]) => fileOf(name, content));
  const head = Buffer.from(JSON.stringify(listed));
  return joined(tarOf([fileOf('manifest.json', head), ...entries, checksumOf(head)], 0));
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const sealed = async (plain: Buffer): Promise<Buffer> => joined(encrypted(once(plain), passphrase, cheap));

/** The code with which these bytes are refused as a backup, or what they hold. */
async function read(
  bytes: Buffer,
  given: Secret<string> | undefined = passphrase,
): Promise<string | Manifest> {
  await writeFile(file, bytes);
  return readBackup({ file, ...(given ? { passphrase: given } : {}) }).catch((error: { code?: string }) =>
    String(error.code ?? error),
  );
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('a backup', () => {
  test.each([
    ['in clear', async (plain: Buffer) => plain],
    ['encrypted', sealed],
  ])('%s comes back byte for byte, in private files', async (_kind, pack) => {
    await writeFile(file, await pack(await archive()));
    const into = join(directory, 'into');
    await mkdir(into);
    expect(await readBackup({ file, passphrase, into })).toEqual(manifest());
    for (const [name, content] of Object.entries(contents))
      expect(await readFile(join(into, name))).toEqual(content);
    expect((await readdir(into)).sort()).toEqual(Object.keys(contents).sort());
  });

  test('in clear is a tar that any tar extracts', async () => {
    await writeFile(file, await archive());
    const { status, stdout } = spawnSync('tar', ['-tvf', file], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(6);
    expect(spawnSync('tar', ['-xf', file, '-C', directory]).status).toBe(0);
    expect(await readFile(join(directory, 'palyra.db'))).toEqual(database);
    expect(spawnSync('sha256sum', ['-c', 'manifest.json.sha256'], { cwd: directory }).status).toBe(0);
  });

  test('encrypted shows nothing of what it holds, and is another each time', async () => {
    const plain = await archive();
    const [one, other] = [await sealed(plain), await sealed(plain)];
    for (const text of ['manifest', 'private key', 'records', 'ca.crt', passphrase.reveal()])
      expect(one.includes(text)).toBe(false);
    expect(one.subarray(200).equals(other.subarray(200))).toBe(false);
  });
});

describe('a torn backup is refused', () => {
  /** Every place where something ends or begins, and places in the middle. */
  function offsets(length: number, borders: readonly number[]): readonly number[] {
    const near = borders.flatMap((border) => [border - 1, border, border + 1]);
    const spread = Array.from({ length: 24 }, (_, index) => Math.floor((length * index) / 24));
    return [...new Set([...near, ...spread, length - 1])].filter((at) => at >= 0 && at < length);
  }

  test('in clear, cut at any border of a block or in the middle', async () => {
    const plain = await archive();
    const blocks = Array.from({ length: plain.length / 512 }, (_, index) => index * 512);
    const borders = [...blocks.slice(0, 12), ...blocks.slice(-8), 100, 257];
    for (const at of offsets(plain.length, borders)) {
      const code = await read(plain.subarray(0, at));
      expect(['backup.damaged', 'backup.not_a_backup'], `cut at ${at}`).toContain(code);
    }
  });

  test('encrypted, cut at any border of a chunk or in the middle', async () => {
    const whole = await sealed(await archive());
    const header = whole.indexOf('\n') + 1;
    const chunk = 64 * 1024 + 16;
    const borders = [15, header, ...[1, 2, 3].flatMap((n) => [header + n * chunk, header + n * chunk - 16])];
    for (const at of offsets(whole.length, borders)) {
      const code = await read(whole.subarray(0, at));
      expect(['backup.damaged', 'backup.not_a_backup'], `cut at ${at}`).toContain(code);
    }
  });

  test('with something behind its end', async () => {
    const plain = await archive();
    for (const whole of [plain, await sealed(plain)]) {
      for (const extra of [Buffer.alloc(1), Buffer.alloc(512), Buffer.from('x'), whole])
        expect(await read(Buffer.concat([whole, extra]))).toBe('backup.damaged');
    }
    expect(await read(await sealed(Buffer.concat([plain, Buffer.alloc(512)])))).toBe('backup.damaged');
  });
});

describe('a changed backup is refused', () => {
  test('encrypted, whichever byte was changed', async () => {
    const whole = await sealed(await archive());
    const header = whole.indexOf('\n') + 1;
    for (let at = 0; at < header; at++)
      expect(await read(changed(whole, at)), `byte ${at}`).toMatch(
        /^backup\.(damaged|not_a_backup|wrong_passphrase|newer_format)$/,
      );
    for (let at = header; at < whole.length; at += 4093)
      expect(await read(changed(whole, at)), `byte ${at}`).toBe('backup.damaged');
  }, 30_000);

  test('encrypted, with chunks that changed places, are missing or come twice', async () => {
    const whole = await sealed(await archive());
    const header = whole.indexOf('\n') + 1;
    const chunk = 64 * 1024 + 16;
    const [head, one, two, rest] = [
      whole.subarray(0, header),
      whole.subarray(header, header + chunk),
      whole.subarray(header + chunk, header + 2 * chunk),
      whole.subarray(header + 2 * chunk),
    ];
    for (const order of [
      [head, two, one, rest],
      [head, one, rest],
      [head, one, one, two, rest],
      [head, rest],
    ])
      expect(await read(Buffer.concat(order))).toBe('backup.damaged');
  });

  test('in clear, whichever byte of a file or a header was changed', async () => {
    const plain = await archive();
    for (let at = 0; at < plain.length; at += at < 8192 ? 37 : 4093)
      expect(await read(changed(plain, at)), `byte ${at}`).toMatch(
        /^backup\.(damaged|not_a_backup|newer_format)$/,
      );
  });

  test('encrypted with another passphrase, or with none given', async () => {
    const whole = await sealed(await archive());
    expect(await read(whole, new Secret('another horse'))).toBe('backup.wrong_passphrase');
    await writeFile(file, whole);
    await expect(readBackup({ file })).rejects.toMatchObject({ code: 'backup.passphrase_missing' });
  });

  test('whose header asks for all memory, or for another cipher', async () => {
    const whole = await sealed(await archive());
    const end = whole.indexOf('\n');
    const head = whole.subarray(0, end).toString();
    for (const [from, to] of [
      ['"cost":1024', '"cost":1073741824'],
      ['"blockSize":8', '"blockSize":4096'],
      ['"name":"scrypt"', '"name":"none"'],
    ] as const) {
      expect(head).toContain(from);
      expect(await read(Buffer.concat([Buffer.from(head.replace(from, to)), whole.subarray(end)]))).toBe(
        'backup.damaged',
      );
    }
    const newer = head.replace('palyra-backup/1', 'palyra-backup/2');
    expect(await read(Buffer.concat([Buffer.from(newer), whole.subarray(end)]))).toBe('backup.newer_format');
  });
});

describe('a forged archive is refused', () => {
  const one = (name: string, content = Buffer.from('x')) => ({ ...contents, [name]: content });

  test.each([
    ['a path upwards', '../escaped'],
    ['an absolute path', '/tmp/escaped'],
    ['a folder', 'sub/ca.key'],
    ['a name that is not one of the state', 'operator.token'],
    ['a name of a lock', 'lock'],
    ['a prototype', '__proto__'],
    ['an empty name', ''],
  ])('%s', async (_what, name) => {
    const files = one(name);
    Object.defineProperty(files, name, { value: Buffer.from('x'), enumerable: true });
    const listed = {
      ...manifest(),
      files: [...manifest().files, { name, size: 1, sha256: sha256(Buffer.from('x')) }],
    };
    expect(await read(await archive(listed, files))).toBe('backup.damaged');
    expect(await read(await archive(manifest(), files))).toBe('backup.damaged');
  });

  test.each([
    'SymbolicLink',
    'Link',
    'Directory',
    'CharacterDevice',
    'ExtendedHeader',
    'NextFileHasLongPath',
  ] as const)('an entry of type %s, also under a known name', async (type) => {
    const plain = await archive();
    const at = plain.indexOf('ca.crt\0');
    const block = Buffer.alloc(512);
    new Header({
      path: 'ca.crt',
      mode: 0o600,
      uid: 0,
      gid: 0,
      size: 11,
      mtime: new Date(0),
      type,
      linkpath: '/etc/passwd',
    }).encode(block, 0);
    block.copy(plain, at);
    expect(await read(plain)).toBe('backup.damaged');
  });

  test.each([
    ['a newer format', { ...manifest(), format: 2 }, 'backup.newer_format'],
    ['no format', { ...manifest(), format: undefined }, 'backup.damaged'],
    ['an unknown field', { ...manifest(), run: 'x' }, 'backup.damaged'],
    ['no files', { ...manifest(), files: [] }, 'backup.damaged'],
    ['a file twice', { ...manifest(), files: [manifest().files[0], ...manifest().files] }, 'backup.damaged'],
    ['files in another order', { ...manifest(), files: [...manifest().files].reverse() }, 'backup.damaged'],
    ['a size that is too large', withSize(2 ** 41), 'backup.damaged'],
    ['a size below zero', withSize(-1), 'backup.damaged'],
    [
      'another hash',
      { ...manifest(), files: manifest().files.map((it) => ({ ...it, sha256: '0'.repeat(64) })) },
      'backup.damaged',
    ],
    ['a list', [], 'backup.damaged'],
    ['null', null, 'backup.damaged'],
  ])('a manifest with %s', async (_what, listed, code) => {
    expect(await read(await archive(listed))).toBe(code);
  });

  test('a manifest of more than 64 KiB, and one that is not JSON', async () => {
    expect(await read(await archive({ ...manifest(), version: 'x'.repeat(70_000) }))).toBe('backup.damaged');
    const entries = Object.entries(contents).map(([name, content]) => fileOf(name, content));
    const nonsense = tarOf(
      [fileOf('manifest.json', Buffer.from('{')), ...entries, checksumOf(Buffer.from('{'))],
      0,
    );
    expect(await read(await joined(nonsense))).toBe('backup.damaged');
  });

  test('a database that would not fit on the disk, before anything is written', async () => {
    const into = await mkdtemp(join(directory, 'into-'));
    await writeFile(file, await archive(withSize(2 ** 40)));
    await expect(readBackup({ file, into })).rejects.toMatchObject({ code: 'backup.no_space' });
    expect(await readdir(into)).toEqual([]);
  });

  test('what is no backup: nothing, another tar, a compressed one, a pipe, a directory, no file', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(4096),
      Buffer.from('PK\x03\x04'),
      Buffer.from([0x1f, 0x8b, 8]),
    ])
      expect(await read(bytes)).toBe('backup.not_a_backup');
    await rm(file);
    const into = (path: string) => readBackup({ file: path }).catch((error: { code: string }) => error.code);
    expect(await into(file)).toBe('backup.not_a_backup');
    expect(await into(directory)).toBe('backup.not_a_backup');
    spawnSync('mkfifo', [file]);
    expect(await into(file)).toBe('backup.not_a_backup');
  });

  test('a link that lies where a file is to be written is not followed', async () => {
    const into = await mkdtemp(join(directory, 'into-'));
    const victim = join(directory, 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, join(into, 'ca.key'));
    await writeFile(file, await archive());
    await expect(readBackup({ file, into })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });

  function withSize(size: number) {
    return {
      ...manifest(),
      files: manifest().files.map((it) => (it.name === 'palyra.db' ? { ...it, size } : it)),
    };
  }
});
