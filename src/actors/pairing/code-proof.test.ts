import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { rawPublicKey, signEd25519 } from '../identity/ed25519.js';
import { proofStatement } from '../identity/transcript.js';
import { type CodeProof, joinProof } from './code-proof.js';

const transcript = Buffer.alloc(32, 7);
const stranger = generateKeyPairSync('ed25519').privateKey;
const wrong = {
  joinSignature: signEd25519(stranger, proofStatement(transcript)),
  pinConfirmation: Buffer.alloc(0),
};

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

it('of a join string that there never was is compared like a wrong one: it never holds, and takes as long', () => {
  const joinKey = rawPublicKey(generateKeyPairSync('ed25519').publicKey);
  const proofs = { live: joinProof('pc_1', () => joinKey), unknown: joinProof('pc_2', () => undefined) };
  const times = { live: [] as number[], unknown: [] as number[] };
  const check = (proof: CodeProof): number => {
    const start = performance.now();
    expect(proof.check(transcript, wrong).holds).toBe(false);
    return performance.now() - start;
  };
  for (let round = 0; round < 400; round++) {
    for (const kind of ['live', 'unknown'] as const) times[kind].push(check(proofs[kind]));
  }
  const [live, unknown] = [median(times.live), median(times.unknown)];
  console.log(`a wrong proof of a join string: live ${live.toFixed(3)} ms, unknown ${unknown.toFixed(3)} ms`);
  expect(Math.max(live, unknown) / Math.min(live, unknown)).toBeLessThan(1.5);
});
