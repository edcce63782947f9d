import { pathToFileURL } from 'node:url';
import type { AppError } from '../kernel/errors.js';
import { pluginError } from './plugin-errors.js';
import type { Handler } from './sdk/handler.js';

export interface PluginCode {
  readonly plugin: string;
  /** Absolute path of the JavaScript file. */
  readonly entry: string;
  /** The capabilities that its manifest promises. */
  readonly capabilities: readonly string[];
  /** SHA-256 of the file, where another build of it may have been loaded into this process before. */
  readonly build?: string;
}

type LoadedCode = Pick<PluginCode, 'plugin' | 'entry' | 'build'>;

/**
 * Loads a plugin's entry into this process, and nothing else: its handlers by capability.
 *
 * @throws AppError `plugin.load_failed` when it throws, exports no definition, or lacks a handler that was promised
 */
export async function loadHandlers(code: PluginCode): Promise<ReadonlyMap<string, Handler>> {
  const given = definedCapabilities(await importDefault(code));
  if (given === undefined) throw noDefinition(code);
  return new Map(
    code.capabilities.map((name) => {
      const handler = given.find((capability) => capability?.name === name)?.handler;
      if (typeof handler === 'function') return [name, handler as Handler];
      throw loadFailed(code, `its code has no handler for '${name}', which plugin.json promises`);
    }),
  );
}

/**
 * Loads a plugin's entry into this process and gives what it defines, for its manifest to be written.
 *
 * @throws AppError `plugin.load_failed` when it throws, exports no definition, or a capability has no handler
 */
export async function loadDefinition(code: LoadedCode): Promise<unknown> {
  const definition = await importDefault(code);
  const given = definedCapabilities(definition);
  if (given === undefined) throw noDefinition(code);
  const bare = given.find((capability) => typeof capability?.handler !== 'function');
  if (bare === undefined) return definition;
  throw loadFailed(code, `its capability '${String(bare?.name)}' has no handler`);
}

/** @throws AppError `plugin.load_failed` */
async function importDefault(code: LoadedCode): Promise<unknown> {
  try {
    const url = pathToFileURL(code.entry);
    // Node keeps modules by their address for as long as the process lives.
    if (code.build !== undefined) url.searchParams.set('build', code.build);
    const module: { readonly default?: unknown } = await import(url.href);
    return module.default;
  } catch (thrown) {
    throw loadFailed(
      code,
      `its code failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      thrown,
    );
  }
}

interface MaybeCapability {
  readonly name?: unknown;
  readonly handler?: unknown;
}

function definedCapabilities(definition: unknown): readonly (MaybeCapability | null)[] | undefined {
  const { capabilities } = (definition ?? {}) as { readonly capabilities?: unknown };
  return Array.isArray(capabilities) ? capabilities : undefined;
}

function noDefinition(code: LoadedCode): AppError {
  return loadFailed(code, 'its entry has no default export made by definePlugin');
}

function loadFailed({ plugin }: LoadedCode, why: string, cause?: unknown): AppError {
  const hint = 'Build the plugin again, and load its entry with node to see the whole error';
  return pluginError('load_failed', `Plugin '${plugin}' can not be loaded: ${why}`, { hint, cause });
}
