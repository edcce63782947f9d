import { isIP } from 'node:net';
import { type ConfigProblem, type Origin, quoted } from '../../adapters/config/config-error.js';
import { type ConfigLayer, setValueAt, type Tree, valueAt } from '../../adapters/config/config-layer.js';
import { parseEndpoint } from '../../adapters/config/endpoint.js';
import type { ConfigOption } from '../../adapters/config/option-schema.js';
import { didYouMean } from '../../kernel/nearest.js';
import { configOptions } from './config-option.js';

/** The flags of `palyrad` that override options, as text from the command line. */
export interface ConfigFlags {
  readonly httpPort?: string;
  readonly enrollPort?: string;
  readonly nodePort?: string;
  readonly logLevel?: string;
  readonly passphraseFile?: string;
}

/** Variables of palyrad that are no options. */
const otherVariables = ['PALYRA_STATE_DIR', 'PALYRA_PASSPHRASE'];

/**
 * What the environment says. Each option has a variable: `PALYRA_`, then its path in capitals with underscores
 * (`dispatch.inputLimit` is `PALYRA_DISPATCH_INPUT_LIMIT`). Lists are separated by commas; an empty variable counts as unset.
 * A variable that begins like an option's and isn't one is a problem.
 */
export function variableLayer(env: NodeJS.ProcessEnv): ConfigLayer {
  const layer = new OverrideLayer();
  const known = new Map(configOptions.map((option) => [option.variable, option]));
  const prefixes = new Set(configOptions.map((option) => option.variable.split('_', 2).join('_')));
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || otherVariables.includes(name)) continue;
    const option = known.get(name);
    const origin = { kind: 'variable', name } as const;
    if (option !== undefined) {
      layer.set(option, fromText(option, text), origin);
    } else if (prefixes.has(name.split('_', 2).join('_'))) {
      const suggestion = didYouMean(name, known.keys());
      layer.problem({
        origin,
        pointer: '',
        message: 'is not a known variable',
        ...(suggestion && { suggestion }),
      });
    }
  }
  return layer;
}

/** What the flags say. A port replaces that of the address which the layers below give. */
export function flagLayer(flags: ConfigFlags, below: readonly ConfigLayer[]): ConfigLayer {
  const layer = new OverrideLayer();
  const ports = [
    ['--http-port', flags.httpPort, 'PALYRA_LISTEN_HTTP_BIND'],
    ['--enroll-port', flags.enrollPort, 'PALYRA_LISTEN_ENROLLMENT_BIND'],
    ['--node-port', flags.nodePort, 'PALYRA_LISTEN_NODE_BIND'],
  ] as const;
  for (const [name, text, variable] of ports) {
    const option = optionOf(variable);
    const origin = { kind: 'flag', name } as const;
    if (text === undefined || option === undefined) continue;
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
      const message = `should be a port from 0 to 65535, but is ${quoted(text)}`;
      layer.problem({ origin, pointer: option.pointer, message });
      continue;
    }
    // An address that isn't one is reported for the layer that holds it.
    const host = parseEndpoint(String(valueBelow(option, below)))?.host ?? '127.0.0.1';
    layer.set(option, `${isIP(host) === 6 ? `[${host}]` : host}:${text}`, origin);
  }
  const texts = [
    ['--log-level', flags.logLevel, 'PALYRA_LOG_LEVEL'],
    ['--passphrase-file', flags.passphraseFile, 'PALYRA_PASSPHRASE_FILE'],
  ] as const;
  for (const [name, text, variable] of texts) {
    const option = optionOf(variable);
    if (text !== undefined && option !== undefined) layer.set(option, text, { kind: 'flag', name });
  }
  return layer;
}

class OverrideLayer implements ConfigLayer {
  readonly tree: Tree = {};
  readonly problems: ConfigProblem[] = [];
  readonly #origins = new Map<string, Origin>();

  set(option: ConfigOption, value: unknown, origin: Origin): void {
    setValueAt(this.tree, option.path, value);
    this.#origins.set(option.pointer, origin);
  }

  problem(problem: ConfigProblem): void {
    this.problems.push(problem);
  }

  locate(pointer: string): Origin {
    for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const origin = this.#origins.get(at);
      if (origin !== undefined) return origin;
    }
    return { kind: 'variable', name: pointer };
  }
}

function optionOf(variable: string): ConfigOption | undefined {
  return configOptions.find((option) => option.variable === variable);
}

function valueBelow(option: ConfigOption, layers: readonly ConfigLayer[]): unknown {
  const values = layers
    .map((layer) => valueAt(layer.tree, option.path))
    .filter((value) => value !== undefined);
  return values.at(-1) ?? option.schema.default;
}

/** Text that isn't of the option's type stays text, and the schema refuses it. */
function fromText({ schema }: ConfigOption, text: string): unknown {
  if (schema.type === 'integer') return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
  if (schema.type === 'object') return fromJson(text);
  if (schema.type !== 'array') return text;
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
