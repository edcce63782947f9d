import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discoverPlugins, type LoadedManifest } from '../plugins/discovery.js';
import { parseManifest } from '../plugins/manifest.js';
import { manifestText } from '../plugins/manifest-writer.js';
import type { PluginDefinition } from '../plugins/sdk/define-plugin.js';

const registry = Symbol.for('palyra.dev/testing');

/** Definitions by a key, where the entry of a plugin in a folder finds them. */
function definitions(): Map<string, PluginDefinition> {
  const holder = globalThis as { [registry]?: Map<string, PluginDefinition> };
  holder[registry] ??= new Map();
  return holder[registry];
}

/**
 * A folder of plugins whose code is the definitions that a test has in its hands: the same objects, so that what the test has
 * replaced in their modules is replaced. Everything else of them is as it is on a node: `plugin.json`, an entry, discovery.
 */
export class DefinitionFolder {
  readonly root: string;
  readonly #keys: string[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<DefinitionFolder> {
    return new DefinitionFolder(await realpath(await mkdtemp(join(tmpdir(), 'palyra-testing-'))));
  }

  /**
   * Writes a plugin, in place of one with its name.
   *
   * @throws AppError as `parseManifest` does: what the definition says is not sound
   */
  async put(definition: PluginDefinition): Promise<void> {
    const text = manifestText(definition, { schema: '' });
    const { name } = parseManifest(text, 'plugin.json');
    const key = randomUUID();
    this.#keys.push(key);
    definitions().set(key, definition);
    const folder = join(this.root, name);
    await mkdir(join(folder, 'dist'), { recursive: true });
    const entry = `export default globalThis[Symbol.for('palyra.dev/testing')].get('${key}');\n`;
    await writeFile(join(folder, 'dist', 'index.js'), entry);
    await writeFile(join(folder, 'plugin.json'), text);
  }

  /** The plugin of that name, as a node finds it. */
  async find(name: string): Promise<LoadedManifest> {
    const { plugins, quarantined } = await discoverPlugins([this.root]);
    const found = plugins.find(({ manifest }) => manifest.name === name);
    if (found) return found;
    throw new Error(quarantined.map(({ message }) => message).join('; ') || `There is no plugin ${name}`);
  }

  async remove(): Promise<void> {
    for (const key of this.#keys) definitions().delete(key);
    await rm(this.root, { recursive: true, force: true });
  }
}
