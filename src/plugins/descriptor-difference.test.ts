import { describe, expect, it } from 'vitest';
import { sampleDescriptor } from '../../test/model/samples.js';
import type { Descriptor } from './descriptor.js';
import { compareDescriptors } from './descriptor-difference.js';

const local = { mode: 'local' } as const;
const remember = (pointer: string, by: 'origin' | 'value', time = {}) =>
  ({ mode: 'local', remember: { pointer, by, ...time } }) as const;
const url = (maxLength: number) => ({ type: 'object', properties: { url: { type: 'string', maxLength } } });

type Changes = Partial<Descriptor>;

describe('a descriptor that is', () => {
  it.each<['wider' | 'narrower' | 'neutral', Changes, Changes, string]>([
    ['wider', { input: url(100) }, { input: url(2000) }, 'input/url: maxLength raised from 100 to 2000'],
    ['narrower', { input: url(2000) }, { input: url(100) }, 'input/url: maxLength lowered from 2000 to 100'],
    ['wider', { output: url(100) }, { output: url(101) }, 'output/url: maxLength raised from 100 to 101'],
    [
      'wider',
      { mediation: local },
      { mediation: { mode: 'none' } },
      'mediation: nobody at the node is asked any more',
    ],
    ['narrower', {}, { mediation: local }, 'mediation: the person at the node is asked'],
    ['narrower', {}, { mediation: remember('/url', 'value') }, 'mediation: the person at the node is asked'],
    ['wider', { mediation: local }, { mediation: remember('/url', 'value') }, 'remembered for "/url"'],
    [
      'wider',
      { mediation: remember('/url', 'value') },
      { mediation: remember('/mode', 'value') },
      'remembered for "/mode"',
    ],
    [
      'wider',
      { mediation: remember('/url', 'value') },
      { mediation: remember('/url', 'origin') },
      'whole web origin',
    ],
    [
      'narrower',
      { mediation: remember('/url', 'origin') },
      { mediation: remember('/url', 'value') },
      'one value only',
    ],
    ['narrower', { mediation: remember('/url', 'origin') }, { mediation: local }, 'no yes is remembered'],
    [
      'wider',
      { mediation: remember('/url', 'origin') },
      { mediation: remember('/url', 'origin', { for: '61m' }) },
      'remembered for 61m instead of 1h',
    ],
    [
      'narrower',
      { mediation: remember('/url', 'origin', { for: '1d' }) },
      { mediation: remember('/url', 'origin') },
      'remembered for 1h instead of 1d',
    ],
    [
      'neutral',
      { mediation: remember('/url', 'origin', { for: '60m' }) },
      { mediation: remember('/url', 'origin') },
      'written in another way',
    ],
    ['wider', {}, { readOnly: true }, 'newly claims that it changes nothing'],
    ['wider', { idempotent: false }, { idempotent: true }, 'newly claims that it may be run twice'],
    ['narrower', {}, { idempotent: false }, 'no longer claims'],
    ['wider', {}, { destructive: true }, 'newly delete'],
    ['wider', { destructive: true }, { destructive: false }, 'not asked to confirm'],
    ['wider', {}, { permissions: { network: ['example.com'] } }, 'asks to contact "example.com"'],
    ['wider', {}, { permissions: { fileSystem: { write: ['/etc'] } } }, 'asks to write files "/etc"'],
    ['wider', {}, { permissions: { fileSystem: { read: ['/etc'] } } }, 'asks to read files "/etc"'],
    ['wider', {}, { permissions: { environment: ['HOME'] } }, 'asks to be given the variables "HOME"'],
    ['wider', {}, { permissions: { childProcesses: true } }, 'asks to start other programs'],
    [
      'narrower',
      { permissions: { environment: ['LANG'] } },
      { permissions: {} },
      'no longer asks to be given',
    ],
    ['wider', { isolation: 'process' }, { isolation: 'inline' }, 'runs inside the node host'],
    ['narrower', { isolation: 'inline' }, { isolation: 'process' }, 'process of its own'],
    ['wider', { timeout: '30s' }, { timeout: '1m' }, 'timeout: raised from 30s to 1m'],
    ['narrower', { timeout: '30s' }, { timeout: '1s' }, 'timeout: lowered'],
    ['neutral', { timeout: '60s' }, { timeout: '1m' }, 'timeout: is written in another way'],
    ['neutral', { concurrency: 1 }, { concurrency: 100 }, 'concurrency: changed from 1 to 100'],
    ['neutral', { title: 'A' }, { title: 'B' }, 'title: reads "B"'],
    ['neutral', {}, { input: { type: 'object', $comment: 'x' } }, 'input: says the same'],
    ['wider', {}, { publisher: 'Somebody else' }, 'publisher: is "Somebody else"'],
    ['wider', {}, { plugin: 'other' }, 'plugin: is "other"'],
    [
      'wider',
      { input: { type: 'string', pattern: '^a' } },
      { input: { type: 'string', pattern: '^b' } },
      "can't be compared",
    ],
  ])('%s: %j, then %j', (verdict, before, after, sentence) => {
    const difference = compareDescriptors(sampleDescriptor(before), sampleDescriptor(after));
    expect(difference.verdict).toBe(verdict);
    expect(difference.changes[0]?.sentence).toContain(sentence);
  });

  it('the same differs in nothing', () => {
    expect(compareDescriptors(sampleDescriptor(), sampleDescriptor())).toEqual({
      verdict: 'same',
      changes: [],
    });
  });

  it('wider in one thing is wider, whatever else got narrower, and that is told first', () => {
    const { verdict, changes } = compareDescriptors(
      sampleDescriptor({ title: 'A', timeout: '1m' }),
      sampleDescriptor({ title: 'B', timeout: '1s', destructive: true }),
    );
    expect([verdict, ...changes.map(({ kind, pointer }) => `${kind} ${pointer}`)]).toEqual([
      'wider',
      'wider /destructive',
      'narrower /timeout',
      'neutral /title',
    ]);
  });
});
