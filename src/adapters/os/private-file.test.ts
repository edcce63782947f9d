import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPrivateFile, writePrivateFile } from './private-file.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-private-'));
  path = join(directory, 'secret');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('what is written reads back, with mode 0600 whatever the umask', async () => {
  for (const umask of [0, 0o777]) {
    const before = process.umask(umask);
    try {
      await writePrivateFile(path, 'one');
    } finally {
      process.umask(before);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
  expect((await readPrivateFile(path))?.toString()).toBe('one');
  await writePrivateFile(path, Buffer.from([0, 255]));
  expect(await readPrivateFile(path)).toEqual(Buffer.from([0, 255]));
});

test('a replaced file is private even if the old one was not, and nothing is left beside it', async () => {
  await writeFile(path, 'old', { mode: 0o644 });
  await writePrivateFile(path, 'new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['secret']);
});

test('of many writers at once the file holds what one of them wrote, whole', async () => {
  const contents = Array.from({ length: 8 }, (_, n) => String(n).repeat(100_000));
  await Promise.all(contents.map((content) => writePrivateFile(path, content)));
  expect(contents).toContain(await readFile(path, 'utf8'));
});

test('a failed write names the file, keeps the old content and leaves nothing', async () => {
  await mkdir(path);
  await expect(writePrivateFile(path, 'x')).rejects.toMatchObject({
    code: 'private_file.unwritable',
    message: expect.stringContaining(path),
  });
  expect(await readdir(directory)).toEqual(['secret']);
  await expect(writePrivateFile(join(directory, 'no', 'file'), 'x')).rejects.toMatchObject({
    code: 'private_file.unwritable',
  });
});

test('a file that is absent is undefined', async () => {
  expect(await readPrivateFile(path)).toBeUndefined();
});

test.each([0o640, 0o604, 0o620, 0o601])(
  'a secret of mode %o is refused with the command that repairs it',
  async (mode) => {
    await writePrivateFile(path, 'x');
    await chmod(path, mode);
    await expect(readPrivateFile(path)).rejects.toMatchObject({
      code: 'private_file.exposed',
      category: 'precondition',
      message: expect.stringContaining(`${path} holds a secret but has mode 0${mode.toString(8)}`),
      hint: expect.stringContaining(`chmod 600 ${path}`),
    });
  },
);

test('a file of another user is refused', async () => {
  let foreign = '/etc/passwd';
  if (process.getuid?.() === 0) {
    await writePrivateFile(path, 'x');
    await chown(path, 12_345, 12_345);
    foreign = path;
  }
  await expect(readPrivateFile(foreign)).rejects.toMatchObject({ code: 'private_file.foreign_owner' });
});

test('what is no regular file is refused, and a pipe does not hold the reader up', async () => {
  await expect(readPrivateFile(directory)).rejects.toMatchObject({ code: 'private_file.not_a_file' });
  execFileSync('mkfifo', ['-m', '600', path]);
  await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'private_file.not_a_file' });
});
