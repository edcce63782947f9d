import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleCapability, sampleManifest } from './sample-manifest.js';

/** Where a broken plugin is made: its own folder, not there yet, and one beside the root for what its links lead to. */
export interface Site {
  readonly folder: string;
  readonly outside: string;
}

/** A plugin that is left out, and how that is told. */
export interface BrokenPlugin {
  /** The name of its folder. */
  readonly name: string;
  /** The code of its error, without `plugin.` where it is one of those. */
  readonly code: string;
  readonly pointer: string;
  make(site: Site): void;
}

type Changes = Readonly<Record<string, unknown>>;

/** A sound manifest, whose names are those of its folder, with some of it changed. */
function manifestOf(name: string, changes: Changes = {}, capability: Changes = {}): Changes {
  const own = sampleCapability({ name: name.replaceAll('-', '_'), ...capability });
  return sampleManifest({ name, isolation: 'process', capabilities: [own], ...changes });
}

/** Writes a plugin whose code says so if anybody runs it. */
function write({ folder }: Site, manifest: string | Buffer | Changes): void {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'dist', 'index.js'), 'throw new Error("plugin code was run");');
  const isText = typeof manifest === 'string' || Buffer.isBuffer(manifest);
  writeFileSync(join(folder, 'plugin.json'), isText ? manifest : JSON.stringify(manifest));
}

/** A manifest that is changed as text, for what objects can't say. */
function text(
  name: string,
  code: string,
  pointer: string,
  change: (text: string) => string | Buffer,
): BrokenPlugin {
  return { name, code, pointer, make: (site) => write(site, change(JSON.stringify(manifestOf(name)))) };
}

function manifest(name: string, code: string, pointer: string, changes: Changes): BrokenPlugin {
  return { name, code, pointer, make: (site) => write(site, manifestOf(name, changes)) };
}

const first = '/capabilities/0';

function capability(name: string, code: string, pointer: string, changes: Changes): BrokenPlugin {
  return { name, code, pointer: first + pointer, make: (site) => write(site, manifestOf(name, {}, changes)) };
}

/** An input schema that is refused. */
function schema(name: string, code: string, pointer: string, input: unknown): BrokenPlugin {
  return capability(name, code, `/input${pointer}`, { input, examples: [] });
}

/** Something wrong on the disk with a plugin that is sound otherwise. */
function disk(name: string, code: string, pointer: string, spoil: (site: Site) => void): BrokenPlugin {
  return {
    name,
    code,
    pointer,
    make: (site) => {
      write(site, manifestOf(name));
      spoil(site);
    },
  };
}

const manifestAt = (site: Site): string => join(site.folder, 'plugin.json');
const entryAt = (site: Site): string => join(site.folder, 'dist', 'index.js');

/** In place of one file, another thing. */
function replace(path: string, by: (path: string) => void): void {
  rmSync(path, { recursive: true });
  by(path);
}

function nested(levels: number, inner: unknown = true): unknown {
  let value = inner;
  for (let level = 0; level < levels; level++) value = { type: 'object', properties: { a: value } };
  return value;
}

/** Each definition uses the one before it twice. */
function doubling(steps: number): Changes {
  const $defs: Record<string, unknown> = { d0: { type: 'string' } };
  for (let step = 1; step <= steps; step++) {
    const $ref = `#/$defs/d${step - 1}`;
    $defs[`d${step}`] = { allOf: [{ $ref }, { $ref }] };
  }
  return { $ref: `#/$defs/d${steps}`, $defs };
}

const notJson: readonly BrokenPlugin[] = [
  text('empty', 'manifest_not_json', '', () => ''),
  text('cut-off', 'manifest_not_json', '', (json) => json.slice(0, -20)),
  text('with-comment', 'manifest_not_json', '', (json) => `// hello\n${json}`),
  text('trailing-comma', 'manifest_not_json', '', (json) => `${json.slice(0, -1)},}`),
  text('yaml', 'manifest_not_json', '', () => 'apiVersion: palyra.dev/v1\nname: yaml\n'),
  text('byte-order-mark', 'manifest_not_json', '', (json) => `\uFEFF${json}`),
  text('utf-16', 'manifest_not_json', '', (json) => Buffer.from(`\uFEFF${json}`, 'utf16le')),
  text('no-utf-8', 'manifest_not_json', '', (json) => Buffer.from(json.replace('Test', 'T\xEBst'), 'latin1')),
  text('nul-bytes', 'manifest_not_json', '', (json) => json.replace('"Test"', '"Te\0st"')),
  text('only-nul', 'manifest_not_json', '', () => '\0'.repeat(1000)),
  text('two-documents', 'manifest_not_json', '', (json) => json + json),
  text('huge-manifest', 'manifest_too_large', '', (json) => json + ' '.repeat(300_000)),
  text('endless-array', 'manifest_not_json', '', () => '['.repeat(200_000)),
  text('deep-array', 'too_deep', '/0'.repeat(40), () => '['.repeat(100_000) + ']'.repeat(100_000)),
  text('many-values', 'too_many_values', '', () => `[${'0,'.repeat(30_000)}0]`),
  text('too-large-a-number', 'number_too_large', '/version', (json) => json.replace('"1.2.3"', '1e999')),
  text('duplicate-key', 'duplicate_key', '/entry', (json) => json.replace('{', '{"entry":"safe.js",')),
  text('proto-key', 'forbidden_key', '/__proto__', (json) =>
    json.replace('{', '{"__proto__":{"isolation":"inline"},'),
  ),
  text('inner-proto-key', 'forbidden_key', '/engines/__proto__', (json) =>
    json.replace('"engines":{', '"engines":{"__proto__":{},'),
  ),
  text('constructor-key', 'forbidden_key', '/constructor', (json) =>
    json.replace('{', '{"constructor":{"prototype":{}},'),
  ),
];

const shape: readonly BrokenPlugin[] = [
  text('an-array', 'manifest_invalid', '', (json) => `[${json}]`),
  text('a-null', 'manifest_invalid', '', () => 'null'),
  manifest('other-api-version', 'api_version', '/apiVersion', { apiVersion: 'palyra.dev/v9' }),
  manifest('no-api-version', 'manifest_invalid', '/apiVersion', { apiVersion: undefined }),
  manifest('misspelt-key', 'manifest_invalid', '/isolatoin', { isolatoin: 'process' }),
  manifest('no-entry-key', 'manifest_invalid', '/entry', { entry: undefined }),
  manifest('no-capabilities', 'manifest_invalid', '/capabilities', { capabilities: [] }),
  manifest('name-in-capitals', 'manifest_invalid', '/name', { name: 'Name-In-Capitals' }),
  manifest('look-alike-name', 'manifest_invalid', '/name', { name: 'еcho' }),
  manifest('name-as-a-path', 'manifest_invalid', '/name', { name: '../echo' }),
  manifest('over-long-name', 'manifest_invalid', '/name', { name: 'a'.repeat(65) }),
  manifest('no-publisher', 'manifest_invalid', '/publisher', { publisher: '' }),
  manifest('wrong-isolation', 'manifest_invalid', '/isolation', { isolation: 'none' }),
  manifest('unknown-permission', 'manifest_invalid', '/permissions/root', { permissions: { root: true } }),
  manifest('no-semver', 'manifest_invalid', '/version', { version: 'latest' }),
  manifest('wrong-engine', 'engine', '/engines/palyra', { engines: { palyra: '>=99.0.0' } }),
  manifest('no-range', 'engine', '/engines/palyra', { engines: { palyra: 'some day' } }),
  manifest('absolute-entry', 'folder_escape', '/entry', { entry: '/etc/passwd.js' }),
  manifest('climbing-entry', 'folder_escape', '/entry', { entry: 'dist/../../echo/dist/index.js' }),
  manifest('windows-entry', 'folder_escape', '/entry', { entry: 'C:\\evil.js' }),
  manifest('nul-in-entry', 'folder_escape', '/entry', { entry: 'dist/index.js\0.js' }),
  manifest('typescript-entry', 'entry_not_javascript', '/entry', { entry: 'src/index.ts' }),
  manifest('native-entry', 'entry_not_javascript', '/entry', { entry: 'build/addon.node' }),
  manifest('config-is-no-schema', 'schema_invalid', '/config/type', { config: { type: 'objekt' } }),
  manifest('config-refers-out', 'schema_reference', '/config/$ref', {
    config: { $ref: 'file:///etc/passwd' },
  }),
];

const capabilities: readonly BrokenPlugin[] = [
  capability('capability-name', 'manifest_invalid', '/name', { name: 'System.Health' }),
  capability('capability-proto-name', 'manifest_invalid', '/name', { name: '__proto__' }),
  capability('endless-timeout', 'manifest_invalid', '/timeout', { timeout: '9000d' }),
  capability('no-timeout', 'manifest_invalid', '/timeout', { timeout: '0s' }),
  capability('endless-concurrency', 'manifest_invalid', '/concurrency', { concurrency: 1e6 }),
  capability('no-mediation', 'manifest_invalid', '/mediation/mode', { mediation: { mode: 'never' } }),
  capability('remembers-nothing', 'manifest_invalid', '/mediation/remember', {
    mediation: { mode: 'none', remember: { pointer: '/a', by: 'value' } },
  }),
  capability('bad-pointer', 'manifest_invalid', '/mediation/remember/pointer', {
    mediation: { mode: 'local', remember: { pointer: 'url~2', by: 'value' } },
  }),
  capability('remembers-for-ever', 'manifest_invalid', '/mediation/remember/for', {
    mediation: { mode: 'local', remember: { pointer: '/url', by: 'value', for: '31d' } },
  }),
  capability('remembers-in-words', 'manifest_invalid', '/mediation/remember/for', {
    mediation: { mode: 'local', remember: { pointer: '/url', by: 'value', for: 'a day' } },
  }),
  capability('wrong-example', 'example_mismatch', '/examples/0/input/name', {
    examples: [{ title: 'No name', input: {} }],
  }),
  {
    name: 'capability-twice',
    code: 'name_clash',
    pointer: '/capabilities/1/name',
    make: (site) => {
      const same = sampleCapability({ name: 'twice' });
      write(site, manifestOf('capability-twice', { capabilities: [same, same] }));
    },
  },
];

const schemas: readonly BrokenPlugin[] = [
  schema('no-such-type', 'schema_invalid', '/type', { type: 'strin' }),
  schema('no-such-keyword', 'schema_invalid', '/maxLenght', { type: 'string', maxLenght: 3 }),
  schema('data-reference', 'schema_invalid', '/properties/a/$data', {
    type: 'object',
    properties: { a: { $data: '1/b' } },
  }),
  schema('data-in-a-bound', 'schema_invalid', '/maximum', { type: 'number', maximum: { $data: '/most' } }),
  schema('dynamic-reference', 'schema_invalid', '/$dynamicRef', { $dynamicRef: '#node' }),
  schema('remote-reference', 'schema_reference', '/$ref', { $ref: 'https://example.test/schema.json' }),
  schema('file-reference', 'schema_reference', '/$ref', { $ref: 'file:///etc/passwd' }),
  schema('reference-to-nothing', 'schema_reference', '/$ref', { $ref: '#/$defs/nothing', $defs: {} }),
  schema('reference-in-a-circle', 'schema_reference', '', { $ref: '#' }),
  schema('id-is-an-address', 'schema_reference', '/$id', { $id: 'https://example.test/', type: 'string' }),
  schema('old-dialect', 'schema_invalid', '/$schema', { $schema: 'http://json-schema.org/draft-07/schema#' }),
  schema('unknown-format', 'schema_invalid', '/format', { type: 'string', format: 'e-mail' }),
  schema('look-ahead', 'schema_pattern', '/pattern', { type: 'string', pattern: '^(?=a)a' }),
  schema('back-reference', 'schema_pattern', '/pattern', { type: 'string', pattern: '^(a+)+\\1$' }),
  schema('unclosed-pattern', 'schema_pattern', '/pattern', { type: 'string', pattern: '(' }),
  schema('exploding-pattern', 'schema_pattern', '/pattern', {
    type: 'string',
    pattern: '((a{1,99}){1,99}){1,99}',
  }),
  schema('long-pattern', 'schema_pattern', '/pattern', { type: 'string', pattern: 'a?'.repeat(600) }),
  schema('exponential-references', 'schema_too_costly', '/$defs/d13', doubling(40)),
  schema('unbounded-uniqueness', 'schema_too_costly', '/uniqueItems', { type: 'array', uniqueItems: true }),
  schema('deep-schema', 'too_deep', `${'/properties/a'.repeat(18)}/properties`, nested(20)),
  schema('wide-schema', 'too_many_values', '', {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 4_200 }, (_, index) => [`p${index}`, true])),
  }),
  schema('long-schema', 'schema_too_large', '', { type: 'string', description: 'x'.repeat(70_000) }),
  schema('vague-schema', 'schema_invalid', '', { properties: { a: { type: 'string' } }, required: ['a'] }),
];

const onDisk: readonly BrokenPlugin[] = [
  { name: 'no-manifest', code: 'unreadable', pointer: '', make: ({ folder }) => mkdirSync(folder) },
  disk('manifest-is-a-folder', 'unreadable', '', (site) => replace(manifestAt(site), mkdirSync)),
  disk('manifest-is-a-pipe', 'unreadable', '', (site) => replace(manifestAt(site), makePipe)),
  disk('manifest-is-a-device', 'folder_escape', '', (site) =>
    replace(manifestAt(site), (path) => symlinkSync('/dev/zero', path)),
  ),
  disk('manifest-is-elsewhere', 'folder_escape', '', (site) => {
    const elsewhere = join(site.outside, 'elsewhere.json');
    writeFileSync(elsewhere, JSON.stringify(manifestOf('manifest-is-elsewhere')));
    replace(manifestAt(site), (path) => symlinkSync(elsewhere, path));
  }),
  disk('manifest-for-everybody', 'unsafe_permissions', '', (site) => chmodSync(manifestAt(site), 0o666)),
  disk('folder-for-everybody', 'unsafe_permissions', '', (site) => chmodSync(site.folder, 0o777)),
  disk('inner-folder-for-everybody', 'unsafe_permissions', '/entry', (site) =>
    chmodSync(join(site.folder, 'dist'), 0o777),
  ),
  disk('entry-for-everybody', 'unsafe_permissions', '/entry', (site) => chmodSync(entryAt(site), 0o646)),
  disk('missing-entry', 'entry_missing', '/entry', (site) => rmSync(entryAt(site))),
  disk('entry-is-a-folder', 'entry_not_javascript', '/entry', (site) => replace(entryAt(site), mkdirSync)),
  disk('entry-is-a-pipe', 'entry_not_javascript', '/entry', (site) => replace(entryAt(site), makePipe)),
  disk('entry-is-elsewhere', 'folder_escape', '/entry', (site) => {
    writeFileSync(join(site.outside, 'evil.js'), '');
    replace(entryAt(site), (path) => symlinkSync(join(site.outside, 'evil.js'), path));
  }),
  disk('entry-is-no-script', 'entry_not_javascript', '/entry', (site) =>
    replace(entryAt(site), (path) => symlinkSync(manifestAt(site), path)),
  ),
  disk('huge-entry', 'entry_too_large', '/entry', (site) => truncateSync(entryAt(site), 64 * 1024 * 1024)),
  {
    name: 'folder-is-elsewhere',
    code: 'folder_escape',
    pointer: '',
    make: (site) => {
      const elsewhere = join(site.outside, 'folder');
      write({ ...site, folder: elsewhere }, manifestOf('folder-is-elsewhere'));
      symlinkSync(elsewhere, site.folder);
    },
  },
  {
    name: 'link-to-itself',
    code: 'unreadable',
    pointer: '',
    make: ({ folder }) => symlinkSync(folder, folder),
  },
  {
    name: 'link-to-nothing',
    code: 'unreadable',
    pointer: '',
    make: ({ folder }) => symlinkSync('nothing', folder),
  },
];

function makePipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

/** A plugin that takes a name which another one has: `echo`, which gives the capability `echo`, lies in an earlier root. */
const clashing: readonly BrokenPlugin[] = [
  manifest('another-echo', 'name_clash', '/name', { name: 'echo' }),
  capability('takes-a-capability', 'name_clash', '/name', { name: 'echo' }),
];

/** Plugins that are broken in every way that can be told without running their code; each is named as its folder. */
export const brokenPlugins: readonly BrokenPlugin[] = [
  ...notJson,
  ...shape,
  ...capabilities,
  ...schemas,
  ...onDisk,
  ...clashing,
];

/** Makes all of them below `root`, which must be there. `outside` is an empty folder that is not below it. */
export function writeBrokenPlugins(root: string, outside: string): void {
  for (const { name, make } of brokenPlugins) make({ folder: join(root, name), outside });
}
