import { createHash } from 'node:crypto';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { lengthPrefixed } from './length-prefixed.js';

const label = 'palyra fingerprint words v1';
const wordCount = 5;
const bitsPerWord = 11;

/**
 * Five words that a person compares on two screens: 55 bits of a hash of the transcript, 11 bits a word, from the
 * English word list of BIP 39 (2,048 words, each known by its first four letters).
 *
 * @param transcript the digest from `transcriptDigest`.
 * @example
 * fingerprintWords(transcript).join(' '); // 'orbit lemon vessel absorb quick'
 */
export function fingerprintWords(transcript: Uint8Array): string[] {
  const hash = createHash('sha256').update(lengthPrefixed(label, transcript)).digest();
  const bits = hash.readBigUInt64BE();
  return Array.from({ length: wordCount }, (_, at) => {
    const index = Number((bits >> BigInt(64 - (at + 1) * bitsPerWord)) & 2047n);
    return wordlist[index] as string;
  });
}
