import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { PluginSettings } from '../actors/link/frames.js';
import type { LoadedManifest } from '../plugins/discovery.js';
import type { PluginSource } from './plugin-rules.js';

/** Inline code is for plugins that the owner trusts: those that come with this package, and those that the owner names. */
export function isTrusted({ root, manifest }: LoadedManifest, { roots, rules }: PluginSource): boolean {
  return root === roots[0] || rules.trusted.has(manifest.name);
}

/** What a plugin runs by. */
export async function keyOf(plugin: LoadedManifest, settings: object, source: PluginSource): Promise<string> {
  const code = createHash('sha256')
    .update(await readFile(plugin.entry))
    .digest('hex');
  const isIsolated = source.rules.isolated.has(plugin.manifest.name);
  return JSON.stringify([
    plugin.entry,
    code,
    plugin.manifest,
    settings,
    isTrusted(plugin, source),
    isIsolated,
  ]);
}

/** Whether two settings say the same; what is not set is nothing. */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The daemon's settings by plugin; what is no JSON object counts as none. */
export function readSettings(settings: readonly PluginSettings[]): ReadonlyMap<string, object> {
  const read = new Map<string, object>();
  for (const { plugin, settings: bytes } of settings) {
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) read.set(plugin, value);
    } catch {
      // As if the daemon had set nothing: its own schema would have refused it.
    }
  }
  return read;
}
