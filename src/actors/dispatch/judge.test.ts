import { expect, it } from 'vitest';
import { sampleDescriptor, sampleDispatch, sampleResult } from '../../../test/model/samples.js';
import { Catalog } from '../../plugins/catalog.js';
import { ValidatorCache } from '../../plugins/validators.js';
import { judgeResult } from './judge.js';

const catalog = new Catalog(new ValidatorCache());
const { digest } = catalog.add(sampleDescriptor(), 'folder');
const judge = (changes: Parameters<typeof sampleResult>[0]) =>
  judgeResult(catalog, 20, sampleDispatch({ descriptorDigest: digest }), sampleResult(changes));

it('takes an output that fits', () => {
  expect(judge({})).toEqual({ state: 'succeeded', output: { a: 1 }, durationMs: 2, started: true });
});

it.each([
  ['is not JSON', '{"a":', 'dispatch.invalid_output'],
  ['does not fit the schema', '{"a":"x"}', 'dispatch.invalid_output'],
  ['is too large', `{"b":"${'x'.repeat(20)}"}`, 'dispatch.output_too_large'],
])('fails a success whose output %s', (_why, output, code) => {
  expect(judge({ output: Buffer.from(output) })).toMatchObject({
    state: 'failed',
    error: { code },
    started: true,
  });
});

it('names the field of an output that does not fit', () => {
  expect(judge({ output: Buffer.from('{"a":"x"}') }).error?.fields).toMatchObject([{ field: 'output/a' }]);
});

it.each([
  ['failed', 'failed'],
  ['timed_out', 'timed_out'],
  ['cancelled', 'cancelled'],
  ['unknown', 'outcome_unknown'],
] as const)('takes the node’s word %s as %s', (outcome, state) => {
  expect(judge({ outcome, started: false })).toEqual({ state, durationMs: 2, started: false });
});

it('keeps a reason of rejection that it knows, and calls others policy', () => {
  expect(judge({ outcome: 'rejected', reason: 'mediation_denied' }).reason).toBe('mediation_denied');
  expect(judge({ outcome: 'rejected', reason: 'just because' }).reason).toBe('node_policy');
});

it.each([
  [{ by: 'person' }, { by: 'person' }],
  [
    { by: 'remembered', until: 0 },
    { by: 'remembered', until: '1970-01-01T00:00:00.000Z' },
  ],
  // No date can be so late; a node may say what it likes.
  [{ by: 'remembered', until: 1e300 }, { by: 'remembered' }],
] as const)('notes what let it run as the node says it: %j', (allowed, noted) => {
  expect(judge({ allowed })).toMatchObject({ state: 'succeeded', allowed: noted });
  expect(judge({ outcome: 'failed', allowed }).allowed).toEqual(noted);
});
