import { dirname, resolve } from 'node:path';
import { type ConfigChecker, configChecker } from '../../adapters/config/config-check.js';
import {
  type ConfigProblem,
  configError,
  invalidConfig,
  type Origin,
} from '../../adapters/config/config-error.js';
import { readConfigFile } from '../../adapters/config/config-file.js';
import { type ConfigLayer, setValueAt, type Tree, valueAt } from '../../adapters/config/config-layer.js';
import { yamlLayer } from '../../adapters/config/config-yaml.js';
import { type Endpoint, parseEndpoint } from '../../adapters/config/endpoint.js';
import type { WrittenSettings } from '../../adapters/config/plugin-settings.js';
import { findConfigFile } from '../../adapters/os/config-path.js';
import { parseDuration } from '../../kernel/duration.js';
import { configOptions } from './config-option.js';
import { type ConfigFlags, flagLayer, variableLayer } from './config-overrides.js';
import { configSchema, type WrittenConfig } from './config-schema.js';
import { crossCheck } from './cross-check.js';

/** One port: where it listens, and the addresses (host:port) to tell others, empty for that of `host` and `port`. */
export interface ListenConfig extends Endpoint {
  readonly advertise: readonly string[];
}

/** The daemon's configuration, complete and frozen. `Ms` is milliseconds, limits are bytes, paths are absolute. */
export interface DaemonConfig {
  readonly listen: {
    readonly http: ListenConfig;
    readonly enrollment: ListenConfig;
    readonly node: ListenConfig;
  };
  /** Undefined: keys lie in clear, unless `PALYRA_PASSPHRASE` says otherwise. */
  readonly state: { readonly passphraseFile: string | undefined };
  readonly log: { readonly level: WrittenConfig['log']['level'] };
  readonly plugins: {
    readonly paths: readonly string[];
    readonly enabled: readonly string[];
    readonly settings: WrittenSettings;
    readonly pin: 'descriptor' | 'build';
  };
  readonly dispatch: {
    readonly inputLimit: number;
    readonly outputLimit: number;
    readonly queuePerNode: number;
    readonly queueBytesPerNode: number;
    readonly inFlightPerNode: number;
    readonly retentionMs: number;
    readonly retentionCount: number;
  };
  readonly session: { readonly heartbeatMs: number; readonly heartbeatMaxMs: number };
  readonly pairing: {
    readonly defaultTtlMs: number;
    readonly confirmWithinMs: number;
    readonly return: WrittenConfig['pairing']['return'];
    readonly returnMaxAgeMs: number;
  };
  readonly certificates: {
    readonly deviceLifetimeMs: number;
    readonly serverLifetimeMs: number;
    readonly caLifetimeMs: number;
    readonly caOverlapMs: number;
  };
  /** The file that was read; undefined when only defaults, variables and flags hold. */
  readonly file: string | undefined;
}

const { checkLayer, isComplete }: ConfigChecker<WrittenConfig> = configChecker(configSchema);

export interface LoadConfigOptions {
  /** The file named by `--config`. It must exist. */
  readonly file?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: ConfigFlags;
}

/**
 * Loads the configuration: flags over `PALYRA_*` variables over `palyra.yaml` over defaults. Every source is checked whole,
 * also where another overrides it, and all problems are reported at once.
 *
 * @throws AppError `config.invalid` with the place, the JSON pointer, what was expected and the nearest valid key for each
 *   problem; `config.unreadable` when the file that was named can't be read.
 * @example
 * const config = loadConfig({ env: process.env, flags: { httpPort: '0' } });
 * config.listen.http.host; // '127.0.0.1'
 */
export function loadConfig(options: LoadConfigOptions): DaemonConfig {
  return readConfig(options).config;
}

/** A configuration, and where each part of it was written. */
export interface ConfigReading {
  readonly config: DaemonConfig;
  /** As it is written: durations and addresses are text. */
  readonly written: WrittenConfig;
  /** Undefined for a default. */
  locate(pointer: string): Origin | undefined;
}

/** As {@link loadConfig}, for who has to tell where something stands. */
export function readConfig({ file, env, flags }: LoadConfigOptions): ConfigReading {
  const path = findConfigFile(file, env);
  const layers: ConfigLayer[] = path === undefined ? [] : [yamlLayer(readConfigFile(path))];
  layers.push(variableLayer(env));
  layers.push(flagLayer(flags, layers));
  const problems: ConfigProblem[] = layers.flatMap(checkLayer);
  if (problems.length > 0) throw invalidConfig(problems);
  const written = merge(layers);
  const contradictions = crossCheck(written, (pointer) => locate(layers, pointer));
  if (contradictions.length > 0) throw invalidConfig(contradictions);
  // A path in the file is relative to the file, any other to where the program was started.
  const toPath = (pointer: string, text: string): string =>
    resolve(path !== undefined && locate(layers, pointer)?.kind === 'file' ? dirname(path) : '.', text);
  const config = deepFreeze(compile(written, path, toPath));
  return { config, written, locate: (pointer) => locate(layers, pointer) };
}

function merge(layers: readonly ConfigLayer[]): WrittenConfig {
  const tree: Tree = {};
  for (const { path, schema } of configOptions) {
    const values = layers.map((layer) => valueAt(layer.tree, path)).filter((value) => value !== undefined);
    setValueAt(tree, path, structuredClone(values.at(-1) ?? schema.default));
  }
  if (!isComplete(tree)) {
    throw configError('invalid', 'A default of the configuration breaks its own schema', {
      hint: 'Report this defect',
    });
  }
  return tree;
}

/** Where the value that holds was written; undefined for a default. */
function locate(layers: readonly ConfigLayer[], pointer: string) {
  const path = pointer.slice(1).split('/');
  return layers.findLast((layer) => valueAt(layer.tree, path) !== undefined)?.locate(pointer, 'value');
}

function compile(
  written: WrittenConfig,
  file: string | undefined,
  toPath: (pointer: string, text: string) => string,
): DaemonConfig {
  const { listen, state, log, plugins, dispatch, session, pairing, certificates } = written;
  return {
    listen: { http: port(listen.http), enrollment: port(listen.enrollment), node: port(listen.node) },
    state: {
      passphraseFile:
        state.passphraseFile === '' ? undefined : toPath('/state/passphraseFile', state.passphraseFile),
    },
    log,
    plugins: { ...plugins, paths: plugins.paths.map((path) => toPath('/plugins/paths', path)) },
    dispatch: {
      inputLimit: dispatch.inputLimit,
      outputLimit: dispatch.outputLimit,
      queuePerNode: dispatch.queuePerNode,
      queueBytesPerNode: dispatch.queueBytesPerNode,
      inFlightPerNode: dispatch.inFlightPerNode,
      retentionMs: parseDuration(dispatch.retention),
      retentionCount: dispatch.retentionCount,
    },
    session: {
      heartbeatMs: parseDuration(session.heartbeat),
      heartbeatMaxMs: parseDuration(session.heartbeatMax),
    },
    pairing: {
      defaultTtlMs: parseDuration(pairing.defaultTtl),
      confirmWithinMs: parseDuration(pairing.confirmWithin),
      return: pairing.return,
      returnMaxAgeMs: parseDuration(pairing.returnMaxAge),
    },
    certificates: {
      deviceLifetimeMs: parseDuration(certificates.deviceLifetime),
      serverLifetimeMs: parseDuration(certificates.serverLifetime),
      caLifetimeMs: parseDuration(certificates.caLifetime),
      caOverlapMs: parseDuration(certificates.caOverlap),
    },
    file,
  };
}

function port({ bind, advertise }: WrittenConfig['listen']['http']): ListenConfig {
  const endpoint = parseEndpoint(bind);
  if (endpoint === undefined) throw configError('invalid', `'${bind}' is not an address`);
  return { ...endpoint, advertise };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
