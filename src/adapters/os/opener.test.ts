import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordingOpener, systemOpener } from './opener.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palyra-opener-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program that writes its arguments, one a line, and ends with a code. */
async function browser(name: string, code: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" > "$0.args"\nexit ${code}\n`);
  await chmod(path, 0o700);
  return path;
}

test('the browser gets the URL as one argument, and no shell reads it', async () => {
  const program = await browser('browser', 0);
  const url = `https://example.com/?a=1&b=$(touch%20x);touch ${folder}/owned|\`id\``;
  await systemOpener({ browser: program }).openUrl(url);
  expect(await readFile(`${program}.args`, 'utf8')).toBe(`${new URL(url).href}\n`);
  await expect(readFile(join(folder, 'owned'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a browser that fails, or is not there, is told', async () => {
  const failing = systemOpener({ browser: await browser('failing', 3) });
  await expect(failing.openUrl('https://example.com/')).rejects.toMatchObject({
    code: 'opener.failed',
    message: 'The page was not opened: the launcher ended with code 3',
  });
  const missing = systemOpener({ browser: join(folder, 'missing') });
  await expect(missing.openUrl('https://example.com/')).rejects.toMatchObject({ code: 'opener.failed' });
});

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  '--version',
  'https://user:pass@example.com/',
  'https://user@example.com/',
  '',
])('%j is refused by both openers', async (url) => {
  const file = join(folder, 'refused.txt');
  for (const opener of [systemOpener({ browser: '/bin/false' }), recordingOpener(file)]) {
    await expect(opener.openUrl(url)).rejects.toMatchObject({ code: 'opener.url_refused' });
  }
  await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the recording opener adds a line for each page', async () => {
  const opener = recordingOpener(join(folder, 'opened.txt'));
  await opener.openUrl('https://example.com');
  await opener.openUrl('http://example.org/b');
  expect(await readFile(join(folder, 'opened.txt'), 'utf8')).toBe(
    'https://example.com/\nhttp://example.org/b\n',
  );
});
