import { createHash } from 'node:crypto';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { pluginError } from '../plugin-errors.js';
import type { PluginProject } from './plugin-project.js';

/** A plugin as one JavaScript file. */
export interface Bundle {
  readonly text: string;
  /** SHA-256 of the text, lowercase hex: what a node that runs it calls its build. */
  readonly build: string;
  /** All files that went into it, as absolute paths. */
  readonly files: readonly string[];
  /** What it takes from Node, without the prefix `node:`, each with the files that import it, below the folder. */
  readonly builtins: ReadonlyMap<string, readonly string[]>;
}

/**
 * Bundles a plugin with all that it imports, our SDK too, so that its file runs by itself: in a process that may read nothing
 * else, and on a machine without its packages. The same sources give the same bytes, wherever they lie.
 *
 * The bundler is loaded when it is first needed.
 *
 * @throws AppError `plugin.build_failed` with one field for each error, `file:line:column`
 */
export async function bundlePlugin(project: PluginProject): Promise<Bundle> {
  const { text, metafile } = await runBundler(project, {});
  return {
    text,
    build: createHash('sha256').update(text).digest('hex'),
    files: Object.keys(metafile.inputs).map((path) => resolve(project.folder, path)),
    builtins: builtinsOf(metafile),
  };
}

/**
 * The plugin's own code with names in place of the globals that it uses; what it imports is left out. Shows what a program
 * touches without importing anything.
 *
 * @param globals a name for each global, such as `fetch`
 * @throws AppError `plugin.build_failed`
 */
export async function ownCode(
  project: PluginProject,
  globals: Readonly<Record<string, string>>,
): Promise<string> {
  return (await runBundler(project, { packages: 'external', define: { ...globals } })).text;
}

interface Output {
  readonly text: string;
  readonly metafile: Metafile;
}

async function runBundler(project: PluginProject, options: BuildOptions): Promise<Output> {
  const { build } = await import('esbuild');
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: project.folder,
      entryPoints: [project.source],
      outfile: project.bundle,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // No comments with the paths of this machine.
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'inline',
      logLevel: 'silent',
      plugins: [ownSdk],
      banner: { js: requireForPackages },
      ...options,
    });
    return { text: outputFiles?.[0]?.text ?? '', metafile: metafile as Metafile };
  } catch (thrown) {
    throw buildFailed(project, thrown);
  }
}

/** Packages of the older kind call `require` for what Node brings, which a module of the newer kind does not have. */
const requireForPackages =
  "import { createRequire as palyraCreateRequire } from 'node:module';const require = palyraCreateRequire(import.meta.url);";

const sdk = 'palyra-node-runtime/plugin';

/** The SDK is the one that the project has installed, else the one of the program that bundles. */
const ownSdk: Plugin = {
  name: 'palyra-sdk',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${sdk}$`) }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === sdk) return undefined;
      const installed = await build.resolve(path, { kind, resolveDir, pluginData: sdk });
      if (installed.errors.length === 0) return installed;
      return { path: fileURLToPath(new URL(`../sdk/index${endingOfThis()}`, import.meta.url)) };
    });
  },
};

function endingOfThis(): string {
  return import.meta.url.endsWith('.ts') ? '.ts' : '.js';
}

function builtinsOf({ inputs }: Metafile): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [file, { imports }] of Object.entries(inputs)) {
    for (const { path, external } of imports) {
      if (external !== true || !isBuiltin(path)) continue;
      const name = path.replace(/^node:/, '');
      const files = found.get(name) ?? [];
      if (!files.includes(file)) files.push(file);
      found.set(name, files);
    }
  }
  return found;
}

interface BundlerError {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function buildFailed(project: PluginProject, thrown: unknown): Error {
  const { errors } = thrown as { readonly errors?: readonly BundlerError[] };
  if (!Array.isArray(errors)) return thrown as Error;
  const fields = errors.slice(0, 20).map(({ text, location }: BundlerError) => ({
    field: location === null ? '' : `${join(location.file)}:${location.line}:${location.column + 1}`,
    message: text,
  }));
  const [first] = fields;
  return pluginError(
    'build_failed',
    `'${project.name}' can not be bundled: ${first?.field || 'its source'} ${first?.message ?? 'is wrong'}`,
    { fields, hint: hintFor(first?.message ?? ''), cause: thrown },
  );
}

function hintFor(message: string): string {
  if (message.includes('.node')) {
    return 'Machine code can not be part of a bundle: use a package in JavaScript';
  }
  if (message.startsWith('Could not resolve'))
    return 'Install the package in the folder of the plugin (npm install)';
  return 'Correct the source';
}
