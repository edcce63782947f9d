import { type Static, Type } from 'typebox';
import { pluginNames, pluginPaths, pluginSettings } from '../../adapters/config/plugin-options.js';
import { durationPattern } from '../../kernel/duration.js';

/** The limits of a duration, as durations. Checked by the keyword `x-duration`. */
interface DurationRange {
  readonly minimum: string;
  readonly maximum: string;
}

const closed = { additionalProperties: false } as const;

function duration(description: string, initial: string, range: DurationRange) {
  return Type.String({ description, default: initial, pattern: durationPattern, 'x-duration': range });
}

function listener(what: string, bind: string) {
  return Type.Object(
    {
      bind: Type.String({
        description: `Where the daemon listens for ${what}, as host:port. An IPv6 address stands in brackets; port 0 takes any free one.`,
        default: bind,
        'x-endpoint': 'bind',
      }),
      advertise: Type.Array(Type.String({ 'x-endpoint': 'advertise' }), {
        description:
          'The addresses, as host:port, under which others reach it, if not the one it listens on.',
        default: [],
        maxItems: 16,
        uniqueItems: true,
      }),
    },
    { ...closed, description: `The port for ${what}.` },
  );
}

const listen = Type.Object(
  {
    http: listener('callers of the HTTP API', '127.0.0.1:7142'),
    enrollment: listener('nodes that want to join', '127.0.0.1:7443'),
    node: listener('nodes that have joined', '127.0.0.1:7444'),
  },
  { ...closed, description: 'The three ports of the daemon.' },
);

const state = Type.Object(
  {
    passphraseFile: Type.String({
      description:
        'A file, of mode 0600, whose first line is the passphrase that seals the keys in the state directory. Empty: they lie there in clear.',
      default: '',
      maxLength: 4096,
      'x-variable': 'PALYRA_PASSPHRASE_FILE',
    }),
  },
  { ...closed, description: 'The state directory.' },
);

const log = Type.Object(
  {
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], {
      description: 'The least severe messages that are logged.',
      default: 'info',
    }),
  },
  { ...closed, description: 'What is logged.' },
);

const plugins = Type.Object(
  {
    paths: pluginPaths('More folders to look for plugins in, relative to this file.'),
    enabled: pluginNames('The names of the plugins that nodes may run. What is not named here is off.', [
      'echo',
      'system-health',
      'desktop-open-url',
    ]),
    settings: pluginSettings(
      'What is set for plugins, by their names; each is checked against the schema in its plugin.json.',
    ),
    pin: Type.Enum(['descriptor', 'build'], {
      description:
        'What an approval of a capability holds for: any build that promises the same (descriptor), or the very build that was approved.',
      default: 'descriptor',
    }),
  },
  { ...closed, description: 'Which plugins exist and which are on.' },
);

// A message on the wire ends at 4 MiB, and an input or output must fit into one with what surrounds it.
const payload = { minimum: 1024, maximum: 3_145_728, default: 1_048_576 };

const dispatch = Type.Object(
  {
    inputLimit: Type.Integer({
      description: 'The largest input of a dispatch, in bytes of JSON.',
      ...payload,
    }),
    outputLimit: Type.Integer({
      description: 'The largest output of a dispatch, in bytes of JSON.',
      ...payload,
    }),
    queuePerNode: Type.Integer({
      description: 'How many dispatches may wait for one node; one more is refused as busy.',
      default: 1000,
      minimum: 1,
      maximum: 1_000_000,
    }),
    queueBytesPerNode: Type.Integer({
      description: 'How many bytes of input may wait for one node; a dispatch above that is refused as busy.',
      default: 67_108_864,
      minimum: 4_194_304,
      maximum: 1_073_741_824,
    }),
    inFlightPerNode: Type.Integer({
      description: 'How many dispatches one node may have at a time; more of them wait.',
      default: 256,
      minimum: 1,
      maximum: 10_000,
    }),
    retention: duration('How long a dispatch that has ended is kept, with its idempotency key.', '30d', {
      minimum: '1h',
      maximum: '3650d',
    }),
    retentionCount: Type.Integer({
      description: 'How many dispatches that have ended are kept; of more, the oldest go before their time.',
      default: 1_000_000,
      minimum: 1_000,
      maximum: 100_000_000,
    }),
  },
  { ...closed, description: 'Limits of dispatches, and how long they are kept.' },
);

const session = Type.Object(
  {
    heartbeat: duration('How often a node says that it is there, while there are few.', '10s', {
      minimum: '1s',
      maximum: '60s',
    }),
    heartbeatMax: duration('How far that interval grows with the number of nodes.', '60s', {
      minimum: '1s',
      maximum: '10m',
    }),
  },
  { ...closed, description: 'The sessions of nodes.' },
);

const pairing = Type.Object(
  {
    defaultTtl: duration('How long a code to join is valid when its maker does not say.', '10m', {
      minimum: '30s',
      maximum: '24h',
    }),
    confirmWithin: duration('How long an approved node may take to fetch its certificate.', '24h', {
      minimum: '1m',
      maximum: '30d',
    }),
    return: Type.Enum(['ask', 'allow'], {
      description:
        'Whether a known node whose certificate has ended, and that proves its identity key, waits for an operator or comes back at once.',
      default: 'ask',
    }),
    returnMaxAge: duration(
      'How long ago its certificate may have ended for that; longer ago always asks.',
      '30d',
      {
        minimum: '1s',
        maximum: '3650d',
      },
    ),
  },
  { ...closed, description: 'How nodes join, and come back.' },
);

const certificates = Type.Object(
  {
    deviceLifetime: duration("How long a node's certificate is valid.", '24h', {
      minimum: '2s',
      maximum: '90d',
    }),
    serverLifetime: duration("How long the daemon's own certificate is valid.", '30d', {
      minimum: '2s',
      maximum: '825d',
    }),
    caOverlap: duration('How long two certificate authorities are trusted when one takes over.', '7d', {
      minimum: '1s',
      maximum: '825d',
    }),
    caLifetime: duration("How long the daemon's certificate authority is valid.", '3650d', {
      minimum: '1m',
      maximum: '7300d',
    }),
  },
  { ...closed, description: 'How long certificates are valid.' },
);

/** The schema of a complete configuration: `palyra.yaml` after defaults. In the file itself every key is optional. */
export const configSchema = Type.Object(
  { listen, log, state, plugins, dispatch, session, pairing, certificates },
  {
    ...closed,
    title: 'Palyra daemon configuration',
    description:
      'palyra.yaml. Every key is optional. Durations are a whole number with ms, s, m, h or d: 30s, 24h.',
  },
);

/** A complete configuration as it is written: durations and addresses are text. */
export type WrittenConfig = Static<typeof configSchema>;
