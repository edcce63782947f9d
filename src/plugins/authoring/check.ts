import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.js';
import { type ManifestContext, manifestChecks, readManifest } from '../manifest.js';
import type { Manifest } from '../manifest-schema.js';
import { adviceFor } from './advice.js';
import { advice, type Finding, findingsOf } from './finding.js';
import { type BuiltPlugin, buildPlugin, checkFreshness } from './pack.js';
import { permissionAdvice } from './permission-advice.js';
import { exists } from './plugin-project.js';
import { readOrNothing } from './write-changed.js';

const manifestFile = 'plugin.json';

/**
 * Looks for everything that is wrong with a plugin, and for what could be better: its source is bundled and loaded, and what it
 * defines is checked as a daemon would and held against the `plugin.json` that is there. A folder without source is judged by
 * its `plugin.json` alone.
 *
 * Never throws for what is wrong with the plugin: errors come first, then warnings.
 *
 * @example
 * const findings = await checkPlugin('plugins/echo');
 * const isSound = findings.every(({ level }) => level === 'warning');
 */
export async function checkPlugin(
  folder: string,
  context: ManifestContext = {},
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const built = await collect(found, manifestFile, () => buildOrNothing(folder));
  const text =
    built?.manifest ?? (found.length === 0 ? await readOrNothing(join(folder, manifestFile)) : undefined);
  if (text === undefined) {
    if (found.length === 0) await collect(found, manifestFile, () => buildPlugin(folder));
    return found;
  }
  const manifest = await collect(found, manifestFile, async () => readManifest(text));
  if (manifest !== undefined) {
    for (const check of manifestChecks(manifest, context))
      await collect(found, manifestFile, async () => check());
  }
  if (built !== undefined) await collect(found, manifestFile, () => checkFreshness(built));
  if (manifest === undefined) return found;
  if (built === undefined && !(await exists(join(folder, manifest.entry)))) {
    const problem = `names ${manifest.entry}, which is not there`;
    found.push({
      level: 'error',
      rule: 'plugin.entry_missing',
      file: manifestFile,
      pointer: '/entry',
      message: problem,
    });
  }
  return [
    ...found,
    ...adviceFor(manifest),
    ...(built === undefined ? [] : await sourceAdvice(built, manifest)),
  ];
}

/** Undefined when there is no source to build. */
async function buildOrNothing(folder: string): Promise<BuiltPlugin | undefined> {
  try {
    return await buildPlugin(folder);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'plugin.no_source') return undefined;
    throw thrown;
  }
}

async function collect<T>(found: Finding[], file: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    found.push(...findingsOf(thrown, thrown.code === 'plugin.build_failed' ? 'src' : file));
    return undefined;
  }
}

async function sourceAdvice(
  { project, bundle }: BuiltPlugin,
  manifest: Manifest,
): Promise<readonly Finding[]> {
  const found = [...(await permissionAdvice(project, bundle, manifest.permissions))];
  const version = await packageVersion(project.folder);
  if (version !== undefined && version !== manifest.version) {
    found.push(
      advice('version_differs', '/version', `is ${version}, and the plugin says ${manifest.version}`, {
        file: 'package.json',
        hint: 'Give both the same version',
      }),
    );
  }
  return found;
}

async function packageVersion(folder: string): Promise<unknown> {
  try {
    const parsed: { readonly version?: unknown } | null = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    return parsed?.version;
  } catch {
    // Not every plugin is a package.
    return undefined;
  }
}
