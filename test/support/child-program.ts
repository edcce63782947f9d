import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/palyra-test');

/** A test's own program in TypeScript, bundled so that plain `node` runs it as a real process. */
export interface ChildProgram {
  start(...args: string[]): RunningChild;
  remove(): Promise<void>;
}

export interface RunningChild {
  readonly process: ChildProcess;
  /** The next line of its stdout; undefined when it has ended. Ends by itself when the program dies. */
  line(): Promise<string | undefined>;
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Bundles the program at `entry` into the dependencies' folder, where its imports of packages resolve.
 *
 * @example
 * const program = await childProgram(new URL('store-crash-child.ts', import.meta.url));
 * const child = program.start('/tmp/state.db');
 * const ready = await child.line();
 */
export async function childProgram(entry: URL): Promise<ChildProgram> {
  const { path, remove } = await bundled(entry);
  return { start: (...args) => start(path, args), remove };
}

/** A script for `node`, which `remove` deletes. */
export interface BundledScript {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * As {@link childProgram}, for one that runs on what `npm run build` has made: what it imports of `src` is that of `dist`, so
 * that it finds its files where the programs find theirs.
 */
export function scriptOnBuild(entry: URL): Promise<BundledScript> {
  return bundled(entry, [
    {
      name: 'the build instead of the source',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\.{1,2}\/.*\/src\// }, ({ path, resolveDir }) => {
          const built = relative(root, resolve(resolveDir, path));
          return { path: pathToFileURL(join(root, 'dist', built)).href, external: true };
        }),
    },
  ]);
}

async function bundled(entry: URL, plugins: Plugin[] = []): Promise<BundledScript> {
  const path = fileURLToPath(entry);
  const outfile = join(cache, `${basename(path, '.ts')}-${process.pid}.mjs`);
  await build({
    entryPoints: [path],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins,
  });
  return { path: outfile, remove: () => rm(outfile, { force: true }) };
}

function start(outfile: string, args: readonly string[]): RunningChild {
  const child = spawn(process.execPath, [outfile, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    line: async () => {
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
