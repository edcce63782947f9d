import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capabilityNamePattern, pluginNamePattern } from '../manifest-schema.js';
import { pluginError } from '../plugin-errors.js';
import { type ScaffoldNames, type ScaffoldPackages, scaffoldFiles } from './scaffold-files.js';

/** What was made: where, and its files in the order in which to read them. */
export interface Scaffold {
  /** Absolute. */
  readonly folder: string;
  readonly files: readonly string[];
}

/**
 * Makes the folder of a new plugin: source, test, README and what npm and TypeScript need. It builds, and its test passes.
 *
 * @throws AppError `plugin.bad_name` for a name that does not fit, `plugin.folder_in_use` when something lies there already
 * @example await scaffoldPlugin('greet', { name: 'greet', capability: 'greet', publisher: 'Ada' });
 */
export async function scaffoldPlugin(folder: string, names: ScaffoldNames): Promise<Scaffold> {
  for (const what of ['name', 'capability', 'publisher'] as const) {
    const problem = nameProblem(what, names[what]);
    if (problem === undefined) continue;
    throw pluginError('bad_name', `The ${what} '${names[what]}' can not be used: it ${problem}`, {
      fields: [{ field: what, message: problem }],
    });
  }
  const path = resolve(folder);
  const present = (await readdir(path).catch(() => [])).filter((name) => name !== '.git');
  if (present.length > 0) {
    throw pluginError('folder_in_use', `${folder} has something in it: ${present.slice(0, 3).join(', ')}`, {
      hint: 'Name a folder that is empty or not there yet',
    });
  }
  const files = scaffoldFiles(names, await packagesFor(path));
  for (const [file, text] of files) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    // Never over something that somebody has made meanwhile.
    await writeFile(join(path, file), text, { flag: 'wx' });
  }
  return { folder: path, files: [...files.keys()] };
}

/** Why a text can't be used, as the end of a sentence; undefined when it can. */
export function nameProblem(what: keyof ScaffoldNames, text: string): string | undefined {
  switch (what) {
    case 'name':
      if (text.length > 64) return 'has more than 64 characters';
      return new RegExp(pluginNamePattern).test(text)
        ? undefined
        : 'must be lowercase words, separated by hyphens, such as disk-report';
    case 'capability':
      if (text.length > 64) return 'has more than 64 characters';
      return new RegExp(capabilityNamePattern).test(text)
        ? undefined
        : 'must be lowercase words, separated by dots, such as disk.report';
    case 'publisher':
      return text.length >= 1 && text.length <= 120 ? undefined : 'must have 1 to 120 characters';
  }
}

interface PackageFile {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

async function packagesFor(folder: string): Promise<ScaffoldPackages> {
  const up = import.meta.url.includes('/dist/') ? '../../../../' : '../../../';
  const own = fileURLToPath(new URL(up, import.meta.url));
  const { version, devDependencies }: PackageFile = JSON.parse(
    await readFile(join(own, 'package.json'), 'utf8'),
  );
  // From a checkout that is the only place where it is.
  const isInstalled = own.split(sep).includes('node_modules');
  const place = relative(folder, own).split(sep).join('/');
  return {
    runtime: isInstalled ? `^${version}` : `file:${place}`,
    engine: `>=${version}`,
    typescript: devDependencies.typescript ?? '*',
    vitest: devDependencies.vitest ?? '*',
  };
}
