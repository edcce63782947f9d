import type { Static, TSchema } from 'typebox';
import type { CapabilityExample, Mediation, Permissions } from '../descriptor.js';
import type { Handler } from './handler.js';

/** One capability as its author writes it. */
export interface CapabilitySource<Input extends TSchema, Output extends TSchema, Config> {
  /** Its name for people. */
  readonly title: string;
  /** What it does, in a sentence or two. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** A duration such as `30s`, which is the default. */
  readonly timeout?: string;
  /** Runs at a time on one node. Default: 8. */
  readonly concurrency?: number;
  /** Whether a person at the node is asked first. Default: nobody is. */
  readonly mediation?: Mediation;
  /** It changes nothing anywhere. Default: false. */
  readonly readOnly?: boolean;
  /** Running it twice does what running it once does. Default: false. */
  readonly idempotent?: boolean;
  /** It can delete or overwrite what someone may want back. Default: false. */
  readonly destructive?: boolean;
  readonly examples?: readonly CapabilityExample[];
  readonly handler: Handler<Static<Input>, Static<Output>, Config>;
}

/** A plugin as its author writes it. The key of each capability is the name by which callers ask for it. */
export interface PluginSource<
  Inputs extends Readonly<Record<string, TSchema>>,
  Outputs extends Readonly<Record<string, TSchema>>,
  Config extends TSchema,
> {
  readonly name: string;
  readonly version: string;
  readonly publisher: string;
  /** Versions of the runtime that it works with, as a semver range. */
  readonly engines: { readonly palyra: string };
  /** Default: all. */
  readonly platforms?: readonly ('linux' | 'darwin' | 'win32')[];
  /** Default: `process`. */
  readonly isolation?: 'process' | 'inline';
  /** Default: nothing. */
  readonly permissions?: Permissions;
  /** Schema of the settings that an operator may give. */
  readonly config?: Config;
  readonly capabilities: {
    readonly [Name in keyof Inputs & keyof Outputs]: CapabilitySource<
      Inputs[Name],
      Outputs[Name],
      Static<Config>
    >;
  };
}

/** One capability of a defined plugin, without the types of its schemas. */
export interface DefinedCapability extends Omit<CapabilitySource<TSchema, TSchema, unknown>, 'handler'> {
  readonly name: string;
  readonly handler: Handler;
}

/** What a plugin's entry file exports as its default. */
export interface PluginDefinition
  extends Omit<PluginSource<Record<string, TSchema>, Record<string, TSchema>, TSchema>, 'capabilities'> {
  readonly capabilities: readonly DefinedCapability[];
}

/**
 * Defines a plugin; export the result as the default of the entry file. The types of each handler come from its schemas,
 * and `plugin.json` is written from this definition.
 *
 * @example
 * export default definePlugin({
 *   name: 'greeter',
 *   version: '1.0.0',
 *   publisher: 'Ada',
 *   engines: { palyra: '>=0.1.0' },
 *   capabilities: {
 *     greet: {
 *       title: 'Greet',
 *       description: 'Says hello.',
 *       input: Type.Object({ name: Type.String() }),
 *       output: Type.Object({ greeting: Type.String() }),
 *       readOnly: true,
 *       handler: ({ input }) => ({ greeting: `Hello, ${input.name}` }),
 *     },
 *   },
 * });
 */
export function definePlugin<
  Inputs extends Readonly<Record<string, TSchema>>,
  Outputs extends Readonly<Record<string, TSchema>>,
  Config extends TSchema = TSchema,
>(source: PluginSource<Inputs, Outputs, Config>): PluginDefinition {
  const untyped = source.capabilities as unknown as Readonly<Record<string, Omit<DefinedCapability, 'name'>>>;
  const capabilities = Object.entries(untyped).map(([name, capability]) =>
    Object.freeze({ ...capability, name }),
  );
  return Object.freeze({ ...source, capabilities: Object.freeze(capabilities) });
}
