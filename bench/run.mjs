/**
 * Runs the benchmarks against the built package: bundles `bench/*.ts` into a temporary folder beside the dependencies, where
 * imports of packages resolve, and leaves every import of `src` to `dist`. So what is measured is what ships.
 *
 *   node bench/run.mjs [name…] [--quick] [--json FILE] [--profile DIR]
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = join(root, 'bench');
const dist = join(root, 'dist');

/** Imports of `src` become imports of the build. */
const fromBuild = {
  name: 'from-build',
  setup({ onResolve }) {
    onResolve({ filter: /^(\.\.\/)+src\// }, ({ path }) => ({
      path: pathToFileURL(join(dist, path.replace(/^(\.\.\/)+/, ''))).href,
      external: true,
    }));
  },
};

async function bundle(outdir) {
  await build({
    entryPoints: [
      'main.ts',
      'floor/floor-daemon.ts',
      'floor/floor-node.ts',
      'ours/daemon-process.ts',
      'load/load-process.ts',
      'load/host-process.ts',
    ].map((file) => join(bench, file)),
    outdir,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    plugins: [fromBuild],
    logLevel: 'error',
  });
  await copyFile(join(bench, 'floor', 'floor.proto'), join(outdir, 'floor.proto'));
}

/** `echo` as one who ships a plugin packs it: with the SDK in it. */
async function packEcho(folder) {
  const echo = join(root, 'plugins', 'echo');
  await build({
    entryPoints: [join(echo, 'src', 'index.ts')],
    outfile: join(folder, 'dist', 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    alias: { 'palyra-node-runtime/plugin': join(dist, 'src', 'plugins', 'sdk', 'index.js') },
    logLevel: 'error',
  });
  await copyFile(join(echo, 'plugin.json'), join(folder, 'plugin.json'));
}

if (!existsSync(join(dist, 'src', 'cli', 'palyra.js'))) {
  console.error('There is no build to measure.\nRun `npm run build` first.');
  process.exit(6);
}
const cache = join(root, 'node_modules', '.cache');
await mkdir(cache, { recursive: true });
const outdir = await mkdtemp(join(cache, 'palyra-bench-'));
try {
  const packedEcho = join(outdir, 'packed', 'echo');
  await Promise.all([bundle(outdir), packEcho(packedEcho)]);
  const { main } = await import(pathToFileURL(join(outdir, 'main.mjs')).href);
  process.exitCode = await main(process.argv.slice(2), {
    palyra: join(dist, 'src', 'cli', 'palyra.js'),
    palyrad: join(dist, 'src', 'daemon', 'palyrad.js'),
    roles: outdir,
    packedEcho,
  });
} finally {
  await rm(outdir, { recursive: true, force: true });
}
