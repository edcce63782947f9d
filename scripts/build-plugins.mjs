// Builds the bundled plugins: bundles plugins/*/src/index.ts to plugins/*/dist/index.js, and the program that runs plugins in
// processes of their own to dist/plugin-child.mjs, then writes plugins/*/plugin.json
// and schemas/plugin.schema.json from the definitions. Runs after `tsc -p tsconfig.build.json`, whose output it imports.
//
//   node scripts/build-plugins.mjs           bundle and write
//   node scripts/build-plugins.mjs --check   bundle; fail when a written file is not what would be written
//   node scripts/build-plugins.mjs --bundle  bundle only; needs no compiled runtime
import { access, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bringUpToDate, writeChanged } from './generated-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const pluginsFolder = join(root, 'plugins');
const schemaFile = join('schemas', 'plugin.schema.json');

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, bundle: { type: 'boolean', default: false } },
});

/** Plugins are the folders with a src/index.ts. */
async function findPlugins() {
  const entries = await readdir(pluginsFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const found = await Promise.all(names.map((name) => exists(join(pluginsFolder, name, 'src', 'index.ts'))));
  return names.filter((_, index) => found[index]).sort();
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Our own package and npm packages stay outside: the bundled plugins are installed together with them. */
async function bundle(name) {
  const outfile = join(pluginsFolder, name, 'dist', 'index.js');
  const result = await build({
    absWorkingDir: root,
    entryPoints: [join(pluginsFolder, name, 'src', 'index.ts')],
    outfile,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  await writeChanged(outfile, result.outputFiles[0].text);
  return outfile;
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

async function importRuntime(path) {
  const file = join(root, 'dist', 'src', 'plugins', path);
  if (!(await exists(file))) {
    throw new Error(`${relative(root, file)} is missing: run \`npx tsc -p tsconfig.build.json\` first`);
  }
  return import(pathToFileURL(file).href);
}

/** The files that are written from the definitions, by their paths below the root. Each manifest is read back, so a bad one fails here. */
async function generate(names) {
  const { manifestText, manifestSchemaText } = await importRuntime('manifest-writer.js');
  const { parseManifest } = await importRuntime('manifest.js');
  const files = new Map([[schemaFile, manifestSchemaText()]]);
  for (const name of names) {
    const folder = join(pluginsFolder, name);
    const { default: plugin } = await import(pathToFileURL(join(folder, 'dist', 'index.js')).href);
    const file = relative(root, join(folder, 'plugin.json'));
    const text = manifestText(plugin, { schema: '../../schemas/plugin.schema.json' });
    parseManifest(text, file);
    files.set(file, text);
  }
  return files;
}

async function main() {
  const names = await findPlugins();
  await Promise.all([...names.map(bundle), bundleChildProgram()]);
  if (options.bundle) return;
  await bringUpToDate(root, await generate(names), {
    check: options.check,
    command: 'npm run generate',
  });
}

await main().catch((error) => {
  console.error(`The plugins were not built: ${error.message}${error.hint ? `. ${error.hint}` : ''}`);
  process.exitCode = 1;
});
