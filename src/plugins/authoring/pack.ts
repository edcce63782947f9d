import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ManifestContext, parseManifest } from '../manifest.js';
import { manifestText } from '../manifest-writer.js';
import { pluginError } from '../plugin-errors.js';
import { type Bundle, bundlePlugin } from './bundle.js';
import { type PluginDescription, readDefinition } from './definition.js';
import { bundlePath, openProject, type PluginProject } from './plugin-project.js';
import { readOrNothing, writeChanged } from './write-changed.js';

/** A plugin as its source gives it; nothing of it is written yet. */
export interface BuiltPlugin {
  readonly project: PluginProject;
  readonly bundle: Bundle;
  readonly description: PluginDescription;
  /** The text of `plugin.json`. */
  readonly manifest: string;
}

/** A plugin that lies in its folder as its source gives it. */
export interface PackedPlugin extends BuiltPlugin {
  /** Whether `plugin.json` was written, or was fresh already. */
  readonly isChanged: boolean;
}

/**
 * Bundles a plugin and writes down what its code defines: `dist/index.js` and `plugin.json`. The manifest comes last, so that a
 * plugin that can't be bundled, loaded or described leaves what was there.
 *
 * @throws AppError `plugin.no_source`, `plugin.build_failed`, `plugin.load_failed`, `plugin.load_timeout`, and those of
 *   `parseManifest`
 * @example const { description } = await packPlugin('plugins/echo');
 */
export async function packPlugin(folder: string, context: ManifestContext = {}): Promise<PackedPlugin> {
  const built = await buildPlugin(folder);
  parseManifest(built.manifest, 'plugin.json', context);
  await writeChanged(built.project.bundle, built.bundle.text);
  return { ...built, isChanged: await writeChanged(built.project.manifest, built.manifest) };
}

/**
 * Holds the `plugin.json` of a folder against its source, and writes nothing.
 *
 * @throws AppError `plugin.manifest_stale`, and those of {@link packPlugin}
 */
export async function checkFreshness({ project, manifest }: BuiltPlugin): Promise<void> {
  const written = await readOrNothing(project.manifest);
  if (written === manifest) return;
  const what = written === undefined ? 'is missing' : 'is not what the code defines';
  throw pluginError('manifest_stale', `plugin.json ${what}`, {
    hint: 'Run `palyra plugin pack` and commit plugin.json',
    fields: [{ field: '', message: what }],
  });
}

/**
 * Bundles a plugin and asks its code what it defines.
 *
 * @throws AppError as {@link packPlugin}; a manifest that is not sound is no failure here
 */
export async function buildPlugin(folder: string): Promise<BuiltPlugin> {
  const project = await openProject(folder);
  const bundle = await bundlePlugin(project);
  const description = await definitionOf(project, bundle);
  const manifest = manifestText(description, { schema: schemaReference(project.folder), entry: bundlePath });
  return { project, bundle, description, manifest };
}

/** Loads the bundle from beside the place that it is for, so that what it finds relative to itself is there. */
async function definitionOf(project: PluginProject, { text }: Bundle): Promise<PluginDescription> {
  const folder = dirname(project.bundle);
  const entry = join(folder, `.${randomUUID()}.mjs`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(entry, text);
    return await readDefinition({ plugin: project.name, entry });
  } finally {
    await rm(entry, { force: true });
  }
}

/** Where an editor finds the manifest's schema: in this package, which a plugin outside of it has installed. */
function schemaReference(folder: string): string {
  const up = import.meta.url.includes('/dist/') ? '../../../../' : '../../../';
  const own = fileURLToPath(new URL(up, import.meta.url));
  const schema = join('schemas', 'plugin.schema.json');
  const path = folder.startsWith(own)
    ? relative(folder, join(own, schema))
    : join('node_modules', 'palyra-node-runtime', schema);
  const slashed = path.split(sep).join('/');
  return slashed.startsWith('.') ? slashed : `./${slashed}`;
}
