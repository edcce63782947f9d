import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { start } from '../../../test/model/samples.js';
import type { Revocation } from '../../actors/device/revocations.js';
import { sampleDeviceId } from '../http/testing/samples.js';
import { parseRevocations, RevocationFile, revocationLine } from './revocation-file.js';

let directory: string;
let path: string;
let opened: RevocationFile[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'palyra-revocations-'));
  path = join(directory, 'revocations.log');
  opened = [];
});
afterEach(async () => {
  for (const file of opened) await file.close();
  rmSync(directory, { recursive: true });
});

async function open(): Promise<RevocationFile> {
  const file = await RevocationFile.open(path);
  opened.push(file);
  return file;
}

const revocation = (seed: number, action: Revocation['action'], reason = 'lost'): Revocation => ({
  deviceId: sampleDeviceId(seed),
  action,
  at: start + seed,
  by: 'operator:ada',
  reason,
});

/** A file with three lines. */
async function filled(): Promise<string[]> {
  const file = await open();
  await file.append(revocation(1, 'revoke'));
  await file.append(revocation(2, 'ban', 'one\nline, "quoted" \u{1F980}'));
  await file.append(revocation(1, 'lift', 'found'));
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

describe('the file of revocations', () => {
  it('is private, holds a decision a line, and says the last of each device after it was opened again', async () => {
    const lines = await filled();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { deviceId: sampleDeviceId(1), action: 'revoke', at: '2026-01-01T00:00:00.001Z', by: 'operator:ada' },
      { deviceId: sampleDeviceId(2), action: 'ban' },
      { deviceId: sampleDeviceId(1), action: 'lift', reason: 'found' },
    ]);
    const again = await open();
    expect([...again.latest()]).toEqual([
      revocation(1, 'lift', 'found'),
      revocation(2, 'ban', 'one\nline, "quoted" \u{1F980}'),
    ]);
    expect([again.torn, again.of(sampleDeviceId(3))]).toEqual([0, undefined]);
    await again.append(revocation(3, 'remove'));
    expect(parseRevocations(readFileSync(path), path).revocations).toHaveLength(4);
  });

  it('takes a last line that was torn at any place for one that was never written', async () => {
    const lines = await filled();
    const whole = readFileSync(path);
    const torn = Buffer.from(revocationLine(revocation(4, 'revoke'), JSON.parse(lines[2] ?? '{}').hash));
    for (let length = 1; length < torn.length; length += 7) {
      writeFileSync(path, Buffer.concat([whole, torn.subarray(0, length)]));
      const file = await open();
      expect(file.torn).toBe(length);
      expect(readFileSync(path)).toEqual(whole);
      await file.append(revocation(4, 'revoke'));
      expect(readFileSync(path)).toEqual(Buffer.concat([whole, torn]));
    }
    // What a power cut may leave at the end of a file that grew.
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(64)]));
    expect((await open()).torn).toBe(64);
  });

  it.each([
    [
      'a line that was changed',
      (lines: string[]) => lines.map((line) => line.replace('revoke', 'remove')),
      1,
    ],
    ['a line that was taken out', (lines: string[]) => lines.filter((_line, at) => at !== 1), 2],
    ['lines that were moved', (lines: string[]) => [lines[0], lines[2], lines[1]], 2],
    ['a line that is no JSON', (lines: string[]) => [...lines, 'garbage'], 4],
    ['an empty line', (lines: string[]) => [...lines, ''], 4],
    ['JSON that is no decision', (lines: string[]) => ['null', ...lines], 1],
    [
      'a device that is none',
      (lines: string[]) => [lines[0]?.replace(/"deviceId":"./, '"deviceId":"0'), ...lines],
      1,
    ],
  ])('refuses %s, names it, and leaves the file as it is', async (_what, change, line) => {
    const changed = `${change(await filled()).join('\n')}\n`;
    writeFileSync(path, changed);
    await expect(open()).rejects.toMatchObject({
      code: 'revocations.damaged',
      message: expect.stringContaining(`line ${line} `),
      hint: expect.stringContaining('backup'),
    });
    expect(readFileSync(path, 'utf8')).toBe(changed);
  });

  it('refuses a file that others may write to', async () => {
    await filled();
    chmodSync(path, 0o666);
    await expect(open()).rejects.toMatchObject({ code: 'private_file.exposed' });
  });

  it('says that the disk refused, and goes on where it was', async () => {
    const file = await open();
    await file.append(revocation(1, 'revoke'));
    // A file that is closed is refused as by a disk that is gone.
    await file.close();
    opened = [];
    await expect(file.append(revocation(2, 'revoke'))).rejects.toMatchObject({
      code: 'revocations.unwritable',
      category: 'unavailable',
    });
    await expect(file.append(revocation(2, 'revoke'))).rejects.toMatchObject({
      code: 'revocations.unwritable',
    });
    expect(file.of(sampleDeviceId(2))).toBeUndefined();
    appendFileSync(path, '');
    expect((await open()).of(sampleDeviceId(1))?.action).toBe('revoke');
  });
});
