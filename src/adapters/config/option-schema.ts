/** The parts of a JSON Schema that the options are described with. */
export interface OptionSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, OptionSchema>>;
  readonly items?: OptionSchema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly 'x-duration'?: { readonly minimum: string; readonly maximum: string };
  readonly 'x-endpoint'?: 'bind' | 'advertise';
  /** The name of its variable, where that is not made of its path. */
  readonly 'x-variable'?: string;
}

/** One option: where it stands in the file, its variable and its schema. */
export interface ConfigOption {
  /** `['listen', 'http', 'bind']` */
  readonly path: readonly string[];
  /** `/listen/http/bind` */
  readonly pointer: string;
  /** `PALYRA_LISTEN_HTTP_BIND` */
  readonly variable: string;
  readonly schema: OptionSchema;
}

/** Every option of a schema, in its order. A mapping of which only the shape of the values is given is one option. */
export function optionsOf(schema: OptionSchema, path: readonly string[] = []): readonly ConfigOption[] {
  if (schema.properties === undefined) {
    const variable = schema['x-variable'] ?? variableOf(path);
    return [{ path, pointer: `/${path.join('/')}`, variable, schema }];
  }
  return Object.entries(schema.properties).flatMap(([key, inner]) => optionsOf(inner, [...path, key]));
}

/** `dispatch.inputLimit` is `PALYRA_DISPATCH_INPUT_LIMIT`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `PALYRA_${words.join('_')}`;
}

/**
 * The schema that editors complete a config file with: as that of the complete configuration, but no key is required.
 *
 * @example JSON.stringify(publishedSchema(configSchema), null, 2)
 */
export function publishedSchema(schema: object): object {
  const optional: unknown = JSON.parse(
    JSON.stringify(schema, (key, value) => (key === 'required' ? undefined : value)),
  );
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...(optional as object) };
}
