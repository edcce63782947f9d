import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleCapability, sampleManifest } from '../../src/plugins/testing/sample-manifest.js';

/** A plugin as it is written on a disk, with one capability that accepts and returns anything. */
export interface WrittenPlugin {
  readonly name: string;
  /** The body of an async function of `{ input, config, signal, progress }`. Default: returns its input. */
  readonly handler?: string;
  /** What stands before the definition: it runs when the plugin is loaded. */
  readonly onLoad?: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly capability?: Readonly<Record<string, unknown>>;
}

/** Writes it below `root`. Its capability is `<name>.run`. Returns its folder. */
export function writePlugin(root: string, plugin: WrittenPlugin): string {
  const { name, handler = 'return input', onLoad = '', manifest = {}, capability = {} } = plugin;
  const run = sampleCapability({
    name: `${name.replaceAll('-', '_')}.run`,
    input: true,
    output: true,
    examples: [],
    idempotent: true,
    ...capability,
  });
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const text = sampleManifest({
    name,
    entry: 'index.js',
    isolation: 'process',
    capabilities: [run],
    ...manifest,
  });
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify(text));
  const code = `${onLoad}
const handler = async ({ input, config, signal, progress }) => { ${handler} };
export default { capabilities: [{ name: '${run.name}', handler }] };\n`;
  writeFileSync(join(folder, 'index.js'), code);
  return folder;
}
