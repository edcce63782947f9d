import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultConfigFile, findConfigFile } from '../../adapters/os/config-path.js';
import { cliError } from '../cli-errors.js';
import { digestOf } from './record.js';

/** The `palyra-node.yaml` of a host, and whether it was made just now. */
export interface NodeConfigFile {
  /** Absolute. */
  readonly path: string;
  /** SHA-256 of what was written; left out for a file that was there before. */
  readonly made?: string;
}

/** The file that documents every option with its default, from the sources as from the build. */
const example = fileURLToPath(
  new URL(
    `${import.meta.url.includes('/dist/') ? '../../../..' : '../../..'}/docs/palyra-node.example.yaml`,
    import.meta.url,
  ),
);

/**
 * Makes `palyra-node.yaml` with all defaults where there is none. One that is there is never written.
 *
 * @param named the file that was named; without one it is that of the configuration directory
 * @throws AppError `cli.usage` where nobody can tell which file it should be, or it can't be written.
 */
export async function ensureNodeConfig(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<NodeConfigFile> {
  const found = findConfigFile(named, env, 'node') ?? defaultConfigFile(env, 'node');
  if (found === undefined) {
    throw cliError('usage', 'There is no home directory to put palyra-node.yaml in', {
      hint: 'Name the file: --config FILE',
    });
  }
  const path = resolve(found);
  // Its first line names a schema beside it, which it would not be any more.
  const content = (await readFile(example, 'utf8')).replace(/^# yaml-language-server:.*\n#\n/, '');
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    return { path, made: digestOf(content) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return { path };
    throw cliError('usage', `${path} can't be written: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'Name another file: --config FILE',
      cause,
    });
  }
}
