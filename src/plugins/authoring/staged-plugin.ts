import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackedPlugin, packPlugin } from './pack.js';
import { bundlePath } from './plugin-project.js';
import { writeChanged } from './write-changed.js';

/**
 * A plugin that is being written, as a folder of plugins that holds nothing else: for a node that runs it. Each build is staged when it is
 * whole and sound, so that the node never meets half of one.
 */
export class StagedPlugin {
  /** The folder of plugins. */
  readonly root: string;
  readonly #folder: string;
  #name: string | undefined;

  /** @param root is emptied by the first build */
  constructor(folder: string, root: string) {
    this.#folder = folder;
    this.root = root;
  }

  /** The name that the plugin has; undefined before its first build. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Packs the plugin in its own folder and stages what came of it. @throws AppError those of `packPlugin` */
  async build(): Promise<PackedPlugin> {
    const packed = await packPlugin(this.#folder, { platform: process.platform });
    const { name } = packed.description;
    if (name !== this.#name) await rm(this.root, { recursive: true, force: true });
    this.#name = name;
    const folder = join(this.root, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeChanged(join(folder, bundlePath), packed.bundle.text);
    await writeChanged(join(folder, 'plugin.json'), packed.manifest);
    return packed;
  }
}
