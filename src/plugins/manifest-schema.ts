import Type, { type Static } from 'typebox';
import { durationPattern } from '../kernel/duration.js';
import type { Capability, JsonSchema, Permissions } from './descriptor.js';

/** The one API version of manifests that this runtime reads and writes. */
export const apiVersion = 'palyra.dev/v1';

export const pluginNamePattern = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';
export const capabilityNamePattern = '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$';

const closed = { additionalProperties: false } as const;

export const allPlatforms = ['linux', 'darwin', 'win32'] as const;
export type Platform = (typeof allPlatforms)[number];

const isolation = Type.Enum(['process', 'inline'], {
  description:
    'Where the code runs: `process` in a child process of its own, `inline` inside the node host, which only plugins that the operator trusts may do.',
  default: 'process',
});

const jsonSchema = (description: string) =>
  Type.Unsafe<JsonSchema>({ type: ['object', 'boolean'], description });

const texts = (description: string, example: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
    maxItems: 64,
    description,
    examples: [[example]],
  });

const permissions = Type.Object(
  {
    fileSystem: Type.Optional(
      Type.Object(
        {
          read: Type.Optional(texts('Paths that may be read.', '/etc/os-release')),
          write: Type.Optional(texts('Paths that may be written.', '/var/tmp/reports')),
        },
        { ...closed, description: 'Files outside the plugin folder.' },
      ),
    ),
    network: Type.Optional(texts('Hosts that may be contacted, as host or host:port.', 'example.com:443')),
    childProcesses: Type.Optional(
      Type.Boolean({ description: 'Whether the code starts other programs.', default: false }),
    ),
    environment: Type.Optional(texts('Names of environment variables that are passed on.', 'LANG')),
  },
  { ...closed, description: 'What the code asks to touch. What is not named is not granted.', default: {} },
);

/** How long a yes may be remembered where the manifest does not say. */
export const rememberDefault = '1h';

const mediation = Type.Object(
  {
    mode: Type.Enum(['none', 'local'], {
      description: '`local`: a person at the node allows or denies each call before it runs.',
    }),
    remember: Type.Optional(
      Type.Object(
        {
          pointer: Type.String({
            pattern: '^(/([^/~]|~[01])*)+$',
            maxLength: 256,
            description: 'JSON pointer of the input value that the person may allow for a while.',
            examples: ['/url'],
          }),
          by: Type.Enum(['origin', 'value'], {
            description: '`origin`: the web origin of the value counts; `value`: the whole value does.',
          }),
          for: Type.Optional(
            Type.String({
              pattern: durationPattern,
              description: 'For how long a yes may be remembered, at least 1m and at most 30d.',
              default: rememberDefault,
              examples: ['10m', '8h'],
            }),
          ),
        },
        { ...closed, description: 'Lets the person allow one value for a while instead of each call.' },
      ),
    ),
  },
  {
    ...closed,
    description: 'Whether a person is asked before the capability runs.',
    default: { mode: 'none' },
  },
);

const example = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120, description: 'What the example shows.' }),
    input: Type.Unknown({ description: 'An input that the input schema accepts.' }),
    output: Type.Optional(Type.Unknown({ description: 'What comes back, valid by the output schema.' })),
  },
  { ...closed, description: 'One worked example, shown in help and in the console.' },
);

const hint = (description: string) => Type.Optional(Type.Boolean({ description, default: false }));

/** What an author may leave out of a capability. */
export const capabilityDefaults = {
  timeout: '30s',
  concurrency: 8,
  mediation: { mode: 'none' },
  readOnly: false,
  idempotent: false,
  destructive: false,
  examples: [],
} as const satisfies Partial<Capability>;

export const capabilitySchema = Type.Object(
  {
    name: Type.String({
      pattern: capabilityNamePattern,
      maxLength: 64,
      description: 'How callers name it: lowercase words, parts separated by dots.',
      examples: ['system.health'],
    }),
    title: Type.String({ minLength: 1, maxLength: 80, description: 'Its name for people.' }),
    description: Type.String({
      minLength: 1,
      maxLength: 2000,
      description: 'What it does, in a sentence or two.',
    }),
    input: jsonSchema('JSON Schema 2020-12 of the input.'),
    output: jsonSchema('JSON Schema 2020-12 of the output.'),
    timeout: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description: 'How long one run may take, at least 100ms and at most 24h.',
        default: capabilityDefaults.timeout,
        examples: ['500ms', '30s', '10m'],
      }),
    ),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1024,
        description: 'How many runs at a time one node takes; more wait their turn.',
        default: capabilityDefaults.concurrency,
      }),
    ),
    mediation: Type.Optional(mediation),
    readOnly: hint('It changes nothing anywhere.'),
    idempotent: hint(
      'Running it twice does what running it once does, so it may be sent again after a lost connection.',
    ),
    destructive: hint('It can delete or overwrite what someone may want back; callers are asked to confirm.'),
    examples: Type.Optional(
      Type.Array(example, { maxItems: 16, description: 'Worked examples.', default: [] }),
    ),
  },
  { ...closed, description: 'One named operation.' },
);

/** `plugin.json` as its file states it. */
export const manifestSchema = Type.Object(
  {
    $schema: Type.Optional(
      Type.String({
        maxLength: 512,
        description: 'Where editors find the schema of this file. Otherwise unused.',
      }),
    ),
    apiVersion: Type.Enum([apiVersion], { description: 'The version of this file format.' }),
    name: Type.String({
      pattern: pluginNamePattern,
      maxLength: 64,
      description: 'The name of the plugin: lowercase words, separated by hyphens.',
      examples: ['system-health'],
    }),
    version: Type.String({
      maxLength: 64,
      description: 'Semantic version of the plugin.',
      examples: ['1.0.0'],
    }),
    publisher: Type.String({
      minLength: 1,
      maxLength: 120,
      description: 'Who makes the plugin. Shown at approval.',
    }),
    engines: Type.Object(
      {
        palyra: Type.String({
          minLength: 1,
          maxLength: 120,
          description: 'Versions of the runtime that the plugin works with, as a semver range.',
          examples: ['>=0.1.0'],
        }),
      },
      { ...closed, description: 'What the plugin needs to run.' },
    ),
    platforms: Type.Optional(
      Type.Array(Type.Enum([...allPlatforms]), {
        minItems: 1,
        maxItems: allPlatforms.length,
        uniqueItems: true,
        description: 'Platforms that the plugin runs on, as Node names them. Left out: all.',
        default: [...allPlatforms],
      }),
    ),
    entry: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'The JavaScript file to load, relative to the plugin folder.',
      examples: ['dist/index.js'],
    }),
    isolation: Type.Optional(isolation),
    permissions: Type.Optional(permissions),
    config: Type.Optional(
      jsonSchema('JSON Schema 2020-12 of the settings that an operator may give the plugin.'),
    ),
    capabilities: Type.Array(capabilitySchema, {
      minItems: 1,
      maxItems: 64,
      description: 'What the plugin can do.',
    }),
  },
  { ...closed, title: 'Palyra plugin manifest', description: 'What a plugin contributes and how it is run.' },
);

export type ManifestFile = Static<typeof manifestSchema>;

/** A descriptor as a node announces it: a capability with all its fields, and what of its plugin bears on trust. */
export const descriptorSchema = Type.Object(
  {
    ...Type.Required(capabilitySchema).properties,
    plugin: manifestSchema.properties.name,
    publisher: manifestSchema.properties.publisher,
    isolation,
    permissions,
  },
  closed,
);

/** A checked manifest with all defaults filled in. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly publisher: string;
  readonly engines: { readonly palyra: string };
  readonly platforms: readonly Platform[];
  readonly entry: string;
  readonly isolation: 'process' | 'inline';
  readonly permissions: Permissions;
  readonly config?: JsonSchema;
  readonly capabilities: readonly Capability[];
}

/** Fills in what the file left out. */
export function withDefaults(file: ManifestFile): Manifest {
  const { name, version, publisher, engines, entry, config } = file;
  return {
    name,
    version,
    publisher,
    engines,
    entry,
    platforms: file.platforms ?? allPlatforms,
    isolation: file.isolation ?? 'process',
    permissions: file.permissions ?? {},
    capabilities: file.capabilities.map((capability) => ({ ...capabilityDefaults, ...capability })),
    ...(config === undefined ? {} : { config }),
  };
}
