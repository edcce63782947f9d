import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takePassphrase } from './passphrase.js';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-passphrase-'));
  file = join(directory, 'passphrase');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function taken(content: string | Buffer): Promise<string | undefined> {
  await writeFile(file, content, { mode: 0o600 });
  return (await takePassphrase({ file, env: {} }))?.reveal();
}

test('is the first line of a file, whatever ends it', async () => {
  for (const text of ['correct horse', 'correct horse\n', 'correct horse\r\nmore\n']) {
    expect(await taken(text)).toBe('correct horse');
  }
  expect(await taken('  spaces count \n')).toBe('  spaces count ');
});

test('is the same however its characters were typed', async () => {
  expect(await taken('Zu\u0308rich am See')).toBe('Z\u00fcrich am See');
});

test('is taken out of the environment, so that no child inherits it', async () => {
  const env: NodeJS.ProcessEnv = { PALYRA_PASSPHRASE: 'correct horse', PATH: '/bin' };
  const passphrase = await takePassphrase({ env });
  expect(passphrase?.reveal()).toBe('correct horse');
  expect(`${passphrase}`).toBe('[secret]');
  expect(env).toEqual({ PATH: '/bin' });
  expect(await takePassphrase({ env })).toBeUndefined();
  expect(await takePassphrase({ env: { PALYRA_PASSPHRASE: '' } })).toBeUndefined();
});

test('is refused when it is given twice, absent, empty, too long or open to others', async () => {
  await taken('correct horse');
  const env = { PALYRA_PASSPHRASE: 'correct horse' };
  await expect(takePassphrase({ file, env })).rejects.toMatchObject({ code: 'passphrase.ambiguous' });
  const absent = join(directory, 'absent');
  await expect(takePassphrase({ file: absent, env: {} })).rejects.toMatchObject({
    code: 'passphrase.missing',
    message: expect.stringContaining(absent),
  });
  await expect(taken('')).rejects.toMatchObject({ code: 'passphrase.missing' });
  await expect(taken('\ncorrect horse')).rejects.toMatchObject({ code: 'passphrase.missing' });
  await expect(taken('x'.repeat(1025))).rejects.toMatchObject({ code: 'passphrase.too_long' });
  await taken('correct horse');
  await chmod(file, 0o644);
  await expect(takePassphrase({ file, env: {} })).rejects.toMatchObject({ code: 'private_file.exposed' });
});

test('does not stand in any of these errors', async () => {
  const error = await takePassphrase({ file, env: { PALYRA_PASSPHRASE: 'correct horse' } }).catch(
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error) + String(error)).not.toContain('correct horse');
});
