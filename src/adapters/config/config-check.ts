import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseDuration } from '../../kernel/duration.js';
import { didYouMean } from '../../kernel/nearest.js';
import { pointerTo } from '../../plugins/json-pointer.js';
import { type ConfigProblem, quoted } from './config-error.js';
import type { ConfigLayer } from './config-layer.js';
import { parseEndpoint } from './endpoint.js';
import { type ConfigOption, type OptionSchema, optionsOf } from './option-schema.js';

const duration = (range: NonNullable<OptionSchema['x-duration']>, text: string): boolean => {
  try {
    const ms = parseDuration(text);
    return ms >= parseDuration(range.minimum) && ms <= parseDuration(range.maximum);
  } catch {
    return false;
  }
};

const endpoint = (use: OptionSchema['x-endpoint'], text: string): boolean => {
  const parsed = parseEndpoint(text);
  return parsed !== undefined && (use === 'bind' || parsed.port > 0);
};

/** Checks what is written of one kind of configuration. */
export interface ConfigChecker<Written> {
  /** Whether every option is there and valid. */
  isComplete(tree: unknown): tree is Written;
  /** What is wrong with one layer; options that it doesn't mention are not missing. One problem for each place. */
  checkLayer(layer: ConfigLayer): ConfigProblem[];
}

/** A checker for the schema of a complete configuration. Beside JSON Schema it knows `x-duration` and `x-endpoint`. */
export function configChecker<Written>(schema: OptionSchema & object): ConfigChecker<Written> {
  const ajv = new Ajv2020({ allErrors: true, strict: true, verbose: true })
    .addKeyword({ keyword: 'x-duration', type: 'string', errors: false, validate: duration })
    .addKeyword({ keyword: 'x-endpoint', type: 'string', errors: false, validate: endpoint })
    .addKeyword({ keyword: 'x-variable' });
  const validate: ValidateFunction<Written> = ajv.compile<Written>(schema);
  const options = optionsOf(schema);
  return {
    isComplete: (tree): tree is Written => validate(tree),
    checkLayer: (layer) => {
      const problems = new Map(layer.problems.map((problem) => [problem.pointer, problem]));
      const others = layer.problems.filter((problem) => problems.get(problem.pointer) !== problem);
      validate(layer.tree);
      for (const error of validate.errors ?? []) {
        if (error.keyword === 'required') continue;
        const problem = toProblem(error, layer, options);
        if (!problems.has(problem.pointer)) problems.set(problem.pointer, problem);
      }
      return [...problems.values(), ...others];
    },
  };
}

function toProblem(error: ErrorObject, layer: ConfigLayer, options: readonly ConfigOption[]): ConfigProblem {
  const schema = (error.parentSchema ?? {}) as OptionSchema;
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    const pointer = pointerTo(error.instancePath, key);
    const known = Object.keys(schema.properties ?? {});
    const suggestion = didYouMean(key, known) ?? elsewhere(key, options);
    const message =
      known.length === 0
        ? 'is not a name that may stand here'
        : `is not a known key; here are: ${known.join(', ')}`;
    return { origin: layer.locate(pointer, 'key'), pointer, message, ...(suggestion && { suggestion }) };
  }
  const pointer = error.instancePath;
  const suggestion =
    schema.enum !== undefined && typeof error.data === 'string'
      ? didYouMean(error.data, schema.enum)
      : undefined;
  const message = `should be ${expected(schema)}, but is ${quoted(error.data)}`;
  return { origin: layer.locate(pointer, 'value'), pointer, message, ...(suggestion && { suggestion }) };
}

/** A known key in the wrong section. */
function elsewhere(key: string, options: readonly ConfigOption[]): string | undefined {
  const option = options.find(({ path }) => path.at(-1) === key || path.at(-2) === key);
  if (option === undefined) return undefined;
  const path = option.path.slice(0, option.path.indexOf(key) + 1);
  return `Did you mean '${path.join('.')}'?`;
}

/** What an option takes, in words. */
function expected(schema: OptionSchema): string {
  const range = schema['x-duration'];
  if (range !== undefined)
    return `a duration from ${range.minimum} to ${range.maximum}, such as '${range.minimum}'`;
  if (schema['x-endpoint'] === 'bind') return "an address such as '127.0.0.1:7142' or '[::1]:0'";
  if (schema['x-endpoint'] === 'advertise') return "an address such as 'palyra.example.org:7443'";
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'array') return `a list of at most ${schema.maxItems} different texts`;
  if (schema.properties !== undefined) return `a mapping with ${Object.keys(schema.properties).join(', ')}`;
  if (schema.type === 'object') return 'a mapping of names to mappings';
  return schema.pattern === undefined ? 'a text that is not empty' : `a name that matches ${schema.pattern}`;
}
