// Builds the bundled plugins as `palyra plugin pack` builds any: plugins/*/dist/index.js and plugins/*/plugin.json from
// plugins/*/src. Beside them, the program that runs plugins in processes of their own (dist/plugin-child.mjs) and
// schemas/plugin.schema.json. Runs after `tsc -p tsconfig.build.json`, whose output it imports.
//
//   node scripts/build-plugins.mjs           bundle and write
//   node scripts/build-plugins.mjs --check   fail when a committed file is not what would be written
//   node scripts/build-plugins.mjs --bundle  bundle, and leave the committed files as they are
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { buildPlugin } from '../dist/src/plugins/authoring/pack.js';
import { exists } from '../dist/src/plugins/authoring/plugin-project.js';
import { writeChanged } from '../dist/src/plugins/authoring/write-changed.js';
import { parseManifest } from '../dist/src/plugins/manifest.js';
import { manifestSchemaText } from '../dist/src/plugins/manifest-writer.js';
import { bringUpToDate } from './generated-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, bundle: { type: 'boolean', default: false } },
});

/** Plugins are the folders with a src/index.ts. */
async function findPlugins() {
  const names = await readdir(join(root, 'plugins'));
  const folders = names.map((name) => join(root, 'plugins', name)).sort();
  const found = await Promise.all(folders.map((folder) => exists(join(folder, 'src', 'index.ts'))));
  return folders.filter((_, index) => found[index]);
}

/** The program in the process of a plugin, in one file: it starts faster, and may read no other under Node's permission model. */
async function bundleChildProgram() {
  const outfile = join(root, 'dist', 'plugin-child.mjs');
  const result = await build({
    absWorkingDir: root,
    entryPoints: [join(root, 'src', 'plugins', 'process', 'child-program.ts')],
    outfile,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  await writeChanged(outfile, result.outputFiles[0].text);
}

async function main() {
  const [built] = await Promise.all([
    Promise.all((await findPlugins()).map((folder) => buildPlugin(folder))),
    bundleChildProgram(),
  ]);
  const files = new Map([[join('schemas', 'plugin.schema.json'), manifestSchemaText()]]);
  for (const { project, bundle, manifest } of built) {
    const file = relative(root, project.manifest);
    parseManifest(manifest, file);
    files.set(file, manifest);
    await writeChanged(project.bundle, bundle.text);
  }
  if (options.bundle) return;
  await bringUpToDate(root, files, { check: options.check, command: 'npm run generate' });
}

await main().catch((error) => {
  console.error(`The plugins were not built: ${error.message}${error.hint ? `. ${error.hint}` : ''}`);
  process.exitCode = 1;
});
