import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticator, createOrReadTokenFile, readTokenFile } from './operator-token.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-token-'));
  path = join(directory, 'operator.token');
});
afterEach(() => rm(directory, { recursive: true }));

describe('createOrReadTokenFile', () => {
  it('makes a token that only its owner can read, and keeps it', async () => {
    const token = await createOrReadTokenFile(path);
    expect(token.reveal()).toMatch(/^pat_[A-Za-z0-9_-]{43}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await createOrReadTokenFile(path)).reveal()).toBe(token.reveal());
    expect((await readTokenFile(path))?.reveal()).toBe(token.reveal());
  });

  it('makes another one each time', async () => {
    const first = await createOrReadTokenFile(path);
    const second = await createOrReadTokenFile(join(directory, 'second.token'));
    expect(second.reveal()).not.toBe(first.reveal());
  });

  it('refuses a file that others can read, and one that holds something else', async () => {
    await createOrReadTokenFile(path);
    await chmod(path, 0o644);
    await expect(createOrReadTokenFile(path)).rejects.toMatchObject({ code: 'private_file.exposed' });
    await writeFile(path, 'hunter2\n');
    await chmod(path, 0o600);
    await expect(createOrReadTokenFile(path)).rejects.toMatchObject({ code: 'token.malformed' });
  });

  it('tells a missing file from an unreadable one', async () => {
    expect(await readTokenFile(path)).toBeUndefined();
  });
});

describe('authenticator', () => {
  it('knows the holder of the token and nobody else', async () => {
    const token = await createOrReadTokenFile(path);
    const authenticate = authenticator(token);
    expect(authenticate(token.reveal())).toEqual({ kind: 'operator', name: 'local', role: 'admin' });
    for (const wrong of [
      '',
      'pat_',
      token.reveal().slice(0, -1),
      `${token.reveal()}x`,
      token.reveal().toUpperCase(),
    ]) {
      expect(authenticate(wrong), wrong).toBeUndefined();
    }
  });
});
