import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprintWords } from './fingerprint-words.js';
import { lengthPrefixed } from './length-prefixed.js';
import { proofStatement, signedStatement, transcriptDigest } from './transcript.js';

test('no two lists of fields give the same bytes', () => {
  const fields = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 4 });
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const same =
        a.length === b.length && a.every((field, at) => Buffer.from(field).equals(b[at] as Uint8Array));
      expect(lengthPrefixed(...a).equals(lengthPrefixed(...b))).toBe(same);
    }),
  );
  expect(lengthPrefixed('é', Buffer.from([1])).toString('hex')).toBe('00000002c3a90000000101');
});

test('a byte moved between the messages, changed or added gives another transcript', () => {
  const digest = transcriptDigest(Buffer.from('begin'), Buffer.from('reply'));
  expect(digest).toHaveLength(32);
  const others = [
    transcriptDigest(Buffer.from('beginr'), Buffer.from('eply')),
    transcriptDigest(Buffer.from('reply'), Buffer.from('begin')),
    transcriptDigest(Buffer.from('begin'), Buffer.from('reply\0')),
    transcriptDigest(Buffer.from('Begin'), Buffer.from('reply')),
  ];
  for (const other of others) expect(other.equals(digest)).toBe(false);
  expect(transcriptDigest(Buffer.from('begin'), Buffer.from('reply')).equals(digest)).toBe(true);
});

test('a signature for one call is worthless for another', () => {
  const fields = {
    rpc: 'Confirm',
    subject: 'pr_1',
    csrDigest: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(32, 2),
  };
  const statement = signedStatement(fields);
  const others = [
    signedStatement({ ...fields, rpc: 'AwaitDecision' }),
    signedStatement({ ...fields, rpc: 'Confirmp', subject: 'r_1' }),
    signedStatement({ ...fields, csrDigest: Buffer.alloc(32, 3) }),
    signedStatement({ ...fields, nonce: Buffer.alloc(32, 3) }),
    proofStatement(Buffer.alloc(32, 1)),
  ];
  for (const other of others) expect(other.equals(statement)).toBe(false);
});

test('five words show 55 bits of the transcript and stay the same', () => {
  const words = fingerprintWords(Buffer.alloc(32, 9));
  expect(words).toHaveLength(5);
  for (const word of words) expect(wordlist).toContain(word);
  expect(fingerprintWords(Buffer.alloc(32, 9))).toEqual(words);
  const seen = new Set<string>();
  for (let at = 0; at < 2000; at++) {
    const transcript = Buffer.alloc(32);
    transcript.writeUInt32BE(at);
    for (const [place, word] of fingerprintWords(transcript).entries()) seen.add(`${place}:${word}`);
  }
  // 2,000 draws from 2,048 words show about 1,276 of them at each place; a wrong shift would show far fewer.
  expect(seen.size).toBeGreaterThan(5 * 1200);
});
