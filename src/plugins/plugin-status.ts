import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Permissions } from './descriptor.js';
import { descriptorDigest, descriptorOf } from './digest.js';
import type { Discovery, LoadedManifest } from './discovery.js';

/**
 * `loaded`: sound and on; `disabled`: sound and off; `quarantined`: left out for a fault; `not_installed`: on, and on no folder
 * here. A daemon needs no copy of a plugin to route to it.
 */
export const pluginStates = ['loaded', 'disabled', 'quarantined', 'not_installed'] as const;
export type PluginState = (typeof pluginStates)[number];

/** Why a plugin is left out. */
export interface PluginFault {
  readonly code: string;
  /** JSON pointer in `file`; '' is all of it. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** How one plugin stands on a machine. */
export interface PluginStatus {
  /** Its name, or its folder's when the name can't be told. */
  readonly plugin: string;
  readonly state: PluginState;
  /** The manifest; with a fault, the file that has it. */
  readonly file?: string;
  readonly folder?: string;
  readonly version?: string;
  readonly publisher?: string;
  readonly isolation?: 'process' | 'inline';
  readonly permissions?: Permissions;
  /** SHA-256 of its code, lowercase hex. */
  readonly buildDigest?: string;
  readonly capabilities: readonly { readonly name: string; readonly digest: string }[];
  readonly fault?: PluginFault;
}

/** Whether a plugin is on, and what else than its folder keeps it out. */
export interface PluginVerdicts {
  isEnabled(plugin: string): boolean;
  /** A fault outside its folder: its settings, its loading. `file` has it. */
  faultOf(plugin: string): { readonly file: string; readonly fault: PluginFault } | undefined;
  /** Names that are on, whether they are installed or not. */
  readonly named: Iterable<string>;
}

/** How all plugins stand, by name; of one name, the loaded one first. */
export async function pluginStatuses(
  { plugins, quarantined }: Discovery,
  verdicts: PluginVerdicts,
): Promise<readonly PluginStatus[]> {
  const found = await Promise.all(plugins.map((plugin) => statusOf(plugin, verdicts)));
  const refused = quarantined.map(
    ({ plugin, file, code, pointer, message, hint }): PluginStatus => ({
      plugin,
      state: 'quarantined',
      file,
      capabilities: [],
      fault: { code, pointer, message, ...(hint === undefined ? {} : { hint }) },
    }),
  );
  const here = new Set([...found, ...refused].map(({ plugin }) => plugin));
  const absent = [...verdicts.named]
    .filter((plugin) => !here.has(plugin))
    .map((plugin): PluginStatus => ({ plugin, state: 'not_installed', capabilities: [] }));
  return [...found, ...refused, ...absent].sort(
    (a, b) => Number(a.plugin > b.plugin) - Number(a.plugin < b.plugin),
  );
}

async function statusOf(plugin: LoadedManifest, verdicts: PluginVerdicts): Promise<PluginStatus> {
  const { manifest, folder } = plugin;
  const { name, version, publisher, isolation, permissions } = manifest;
  const located = verdicts.faultOf(name);
  const sound = verdicts.isEnabled(name) ? 'loaded' : 'disabled';
  return {
    plugin: name,
    state: located === undefined ? sound : 'quarantined',
    file: located?.file ?? plugin.file,
    folder,
    version,
    publisher,
    isolation,
    permissions,
    buildDigest: await digestOfFile(plugin.entry),
    capabilities: manifest.capabilities.map((capability) => ({
      name: capability.name,
      digest: descriptorDigest(descriptorOf(manifest, capability)),
    })),
    ...(located === undefined ? {} : { fault: located.fault }),
  };
}

/** Empty when the file is gone by now. */
async function digestOfFile(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch {
    return '';
  }
}
