import { expect, test } from 'vitest';
import { AppError } from '../kernel/errors.js';
import { parseDescriptor } from './announced.js';
import { descriptorOf } from './digest.js';
import { type ManifestContext, parseManifest } from './manifest.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';

const context: ManifestContext = { runtimeVersion: '0.1.0', platform: 'linux' };

function refusal(text: string): AppError {
  try {
    parseManifest(text, 'greeter/plugin.json', context);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('The manifest was accepted');
}

const capability = (changes: Record<string, unknown>) =>
  sampleManifest({ capabilities: [sampleCapability(changes)] });
const input = (schema: unknown) => capability({ input: schema, examples: [] });
const nested = (depth: number): unknown => (depth === 0 ? {} : { items: nested(depth - 1), type: 'array' });
const bomb = () => {
  const $defs: Record<string, unknown> = { d20: { type: 'string' } };
  for (let i = 0; i < 20; i++)
    $defs[`d${i}`] = { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] };
  return { $defs, $ref: '#/$defs/d0' };
};

test('a sound manifest is read and its defaults filled in', () => {
  const manifest = parseManifest(
    JSON.stringify(sampleManifest({ isolation: undefined })),
    'plugin.json',
    context,
  );
  expect(manifest).toMatchObject({
    name: 'greeter',
    isolation: 'process',
    permissions: {},
    platforms: ['linux', 'darwin', 'win32'],
  });
  expect(manifest.capabilities[0]).toMatchObject({
    timeout: '30s',
    concurrency: 8,
    mediation: { mode: 'none' },
    readOnly: false,
    idempotent: false,
    destructive: false,
  });
});

test.each<[string, unknown, string, string]>([
  ['misspelt key', sampleManifest({ capabilties: [] }), 'manifest_invalid', '/capabilties'],
  ['missing key', sampleManifest({ entry: undefined }), 'manifest_invalid', '/entry'],
  ['not an object', [], 'manifest_invalid', ''],
  ['null', null, 'manifest_invalid', ''],
  ['other API version', { apiVersion: 'palyra.dev/v9', parts: 1 }, 'api_version', '/apiVersion'],
  ['API version that is no text', sampleManifest({ apiVersion: 1 }), 'manifest_invalid', '/apiVersion'],
  ['name with a path', sampleManifest({ name: '../evil' }), 'manifest_invalid', '/name'],
  ['version', sampleManifest({ version: '1.0' }), 'manifest_invalid', '/version'],
  ['engine range', sampleManifest({ engines: { palyra: 'new' } }), 'engine', '/engines/palyra'],
  ['engine too new', sampleManifest({ engines: { palyra: '>=9' } }), 'engine', '/engines/palyra'],
  ['platform', sampleManifest({ platforms: ['win32'] }), 'platform', '/platforms'],
  ['unknown platform', sampleManifest({ platforms: ['beos'] }), 'manifest_invalid', '/platforms/0'],
  ['isolation', sampleManifest({ isolation: 'none' }), 'manifest_invalid', '/isolation'],
  ['entry outside', sampleManifest({ entry: 'dist/../../evil.js' }), 'folder_escape', '/entry'],
  ['absolute entry', sampleManifest({ entry: '/bin/evil.js' }), 'folder_escape', '/entry'],
  ['entry in TypeScript', sampleManifest({ entry: 'src/index.ts' }), 'entry_not_javascript', '/entry'],
  [
    'permission',
    sampleManifest({ permissions: { netwrok: [] } }),
    'manifest_invalid',
    '/permissions/netwrok',
  ],
  ['config schema', sampleManifest({ config: { type: 'objekt' } }), 'schema_invalid', '/config/type'],
  ['no capability', sampleManifest({ capabilities: [] }), 'manifest_invalid', '/capabilities'],
  [
    'two of one name',
    sampleManifest({ capabilities: [sampleCapability(), sampleCapability()] }),
    'name_clash',
    '/capabilities/1/name',
  ],
  ['capability name', capability({ name: 'Greet Me' }), 'manifest_invalid', '/capabilities/0/name'],
  ['timeout', capability({ timeout: 'soon' }), 'manifest_invalid', '/capabilities/0/timeout'],
  ['endless timeout', capability({ timeout: '30d' }), 'manifest_invalid', '/capabilities/0/timeout'],
  ['concurrency', capability({ concurrency: 0 }), 'manifest_invalid', '/capabilities/0/concurrency'],
  [
    'remember without asking',
    capability({ mediation: { mode: 'none', remember: { pointer: '/a', by: 'value' } } }),
    'manifest_invalid',
    '/capabilities/0/mediation/remember',
  ],
  [
    'example input',
    capability({ examples: [{ title: 'x', input: { nam: 'Ada' } }] }),
    'example_mismatch',
    '/capabilities/0/examples/0/input/name',
  ],
  [
    'example output',
    capability({ examples: [{ title: 'x', input: { name: 'Ada' }, output: { greeting: 1 } }] }),
    'example_mismatch',
    '/capabilities/0/examples/0/output/greeting',
  ],
  ['schema that is no schema', input('string'), 'manifest_invalid', '/capabilities/0/input'],
  [
    'unknown keyword',
    input({ type: 'object', propertys: {} }),
    'schema_invalid',
    '/capabilities/0/input/propertys',
  ],
  [
    'asynchronous schema',
    input({ $async: true, type: 'object' }),
    'schema_invalid',
    '/capabilities/0/input/$async',
  ],
  [
    '$data',
    input({ type: 'object', properties: { a: { $data: '1/b' } } }),
    'schema_invalid',
    '/capabilities/0/input/properties/a/$data',
  ],
  [
    'remote reference',
    input({ $ref: 'https://example.com/schema.json' }),
    'schema_reference',
    '/capabilities/0/input/$ref',
  ],
  [
    'file reference',
    input({ type: 'array', items: { $ref: 'file:///etc/passwd' } }),
    'schema_reference',
    '/capabilities/0/input/items/$ref',
  ],
  [
    'remote id',
    input({ $id: 'https://example.com/', $ref: '#' }),
    'schema_reference',
    '/capabilities/0/input/$id',
  ],
  [
    'dangling reference',
    input({ $defs: { name: {} }, $ref: '#/$defs/nam' }),
    'schema_reference',
    '/capabilities/0/input/$ref',
  ],
  ['endless reference', input({ allOf: [{ $ref: '#' }] }), 'schema_reference', '/capabilities/0/input'],
  ['reference bomb', input(bomb()), 'schema_too_costly', '/capabilities/0/input/$defs/d7'],
  [
    'unique items without bound',
    input({ type: 'array', items: { type: 'object' }, uniqueItems: true }),
    'schema_too_costly',
    '/capabilities/0/input/uniqueItems',
  ],
  [
    'look-ahead',
    input({ type: 'string', pattern: '(?=a)b' }),
    'schema_pattern',
    '/capabilities/0/input/pattern',
  ],
  [
    'back reference',
    input({ type: 'object', patternProperties: { '(a)\\1': {} } }),
    'schema_pattern',
    '/capabilities/0/input/patternProperties/(a)\\1',
  ],
  [
    'pattern that multiplies',
    input({ type: 'string', pattern: '((a{1000}){1000}){1000}' }),
    'schema_pattern',
    '/capabilities/0/input/pattern',
  ],
  [
    'unknown format',
    input({ type: 'string', format: 'emial' }),
    'schema_invalid',
    '/capabilities/0/input/format',
  ],
  [
    'other dialect',
    input({ $schema: 'http://json-schema.org/draft-07/schema#' }),
    'schema_invalid',
    '/capabilities/0/input/$schema',
  ],
  [
    'unclear type',
    input({ type: 'object', properties: { a: { minLength: 1 } } }),
    'schema_invalid',
    '/capabilities/0/input/properties/a',
  ],
  ['deep schema', input(nested(33)), 'too_deep', `/capabilities/0/input${'/items'.repeat(32)}`],
  ['big schema', input({ description: 'x'.repeat(70_000) }), 'schema_too_large', '/capabilities/0/input'],
  [
    'many values',
    input({ enum: Array.from({ length: 5_000 }, (_, i) => i) }),
    'too_many_values',
    '/capabilities/0/input',
  ],
])('refused: %s', (_, document, code, pointer) => {
  const error = refusal(JSON.stringify(document));
  expect({ code: error.code, pointer: error.details?.pointer }).toEqual({ code: `plugin.${code}`, pointer });
  expect(
    error.message.startsWith(pointer === '' ? 'greeter/plugin.json: ' : `greeter/plugin.json ${pointer}: `),
  ).toBe(true);
  expect(error.details?.file).toBe('greeter/plugin.json');
});

test.each([
  ['{"name": "x", "__proto__": {}}', '/__proto__'],
  ['{"permissions": {"constructor": {"prototype": 1}}}', '/permissions/constructor'],
  [
    '{"capabilities": [{"input": {"properties": {"prototype": {}}}}]}',
    '/capabilities/0/input/properties/prototype',
  ],
])('a key that reaches a prototype is refused: %s', (text, pointer) => {
  const error = refusal(text);
  expect([error.code, error.details?.pointer]).toEqual(['plugin.forbidden_key', pointer]);
});

test('what is not JSON is refused with line and column', () => {
  const error = refusal('{\n  "name": "x",\n  oops\n}');
  expect([error.code, error.hint]).toEqual(['plugin.manifest_not_json', 'Look at line 3, column 3']);
});

test('what is too big, or nested without end, is refused before it is looked at', () => {
  expect(refusal(`"${'x'.repeat(300_000)}"`).code).toBe('plugin.manifest_too_large');
  expect(refusal('['.repeat(60_000) + ']'.repeat(60_000)).code).toBe('plugin.too_deep');
});

test('the near match of a misspelt key is the hint', () => {
  expect(refusal(JSON.stringify(sampleManifest({ capabilties: [] }))).hint).toBe(
    "Did you mean 'capabilities'?",
  );
  const keyword = refusal(JSON.stringify(input({ type: 'object', propertys: {} })));
  expect(keyword.hint).toBe("Did you mean 'properties'?");
});

test('schemas may refer to themselves, by path, anchor or name, where they look into the value', () => {
  for (const schema of [
    { type: 'object', properties: { next: { $ref: '#' } } },
    { $defs: { node: { $anchor: 'node', type: 'array', items: { $ref: '#node' } } }, $ref: '#node' },
    { $defs: { Node: { $id: 'Node', type: 'array', items: { $ref: 'Node' } } }, $ref: 'Node' },
    { $defs: { 'a/b c': { type: 'string' } }, $ref: '#/$defs/a~1b%20c' },
  ]) {
    expect(() => parseManifest(JSON.stringify(input(schema)), 'plugin.json', context)).not.toThrow();
  }
});

test('a daemon, which runs no code, takes manifests for any platform', () => {
  const text = JSON.stringify(sampleManifest({ platforms: ['win32'] }));
  expect(parseManifest(text, 'plugin.json', { runtimeVersion: '0.1.0' }).platforms).toEqual(['win32']);
});

test('an announced descriptor is checked for its shape, and its schemas are not compiled', () => {
  const manifest = parseManifest(JSON.stringify(sampleManifest()), 'plugin.json', context);
  const [first] = manifest.capabilities;
  if (first === undefined) throw new Error('no capability');
  const descriptor = descriptorOf(manifest, first);
  expect(parseDescriptor(JSON.stringify(descriptor))).toEqual(descriptor);
  const inert = { ...descriptor, input: { $ref: 'https://example.com/' } };
  expect(parseDescriptor(JSON.stringify(inert)).input).toEqual({ $ref: 'https://example.com/' });
  const wrong = JSON.stringify({ ...descriptor, isolation: 'none' });
  expect(() => parseDescriptor(wrong)).toThrowError(
    expect.objectContaining({ code: 'plugin.manifest_invalid' }),
  );
  const evil = JSON.stringify(descriptor).replace('"publisher"', '"__proto__"');
  expect(() => parseDescriptor(evil)).toThrowError(expect.objectContaining({ code: 'plugin.forbidden_key' }));
});
