import { posix } from 'node:path';
import semver from 'semver';
import { AppError } from '../kernel/errors.js';
import { compileShape, documentLimits, parseJson, refuseDuplicates, shapeError } from './document.js';
import { fieldErrors } from './field-errors.js';
import { checkJsonLimits } from './json-limits.js';
import { capabilityChecks } from './manifest-capabilities.js';
import {
  apiVersion,
  type Manifest,
  type ManifestFile,
  manifestSchema,
  withDefaults,
} from './manifest-schema.js';
import { inFile, problemError } from './plugin-errors.js';
import { runtimeVersion } from './runtime-version.js';

/** The most bytes that a manifest may have. */
export const manifestLimit = 256 * 1024;

/** What a manifest is held against. */
export interface ManifestContext {
  /** The version for `engines.palyra`. Default: this package's. */
  readonly runtimeVersion?: string;
  /** `process.platform` of the machine that would run the code. Left out on a daemon, which runs none. */
  readonly platform?: string;
}

/**
 * Reads `plugin.json`. Checks in this order and stops at the first failure: size, JSON, limits and forbidden keys, keys that stand twice, API version (so
 * that a file for another version isn't measured by this one's schema), schema, entry, engines, platform, capability
 * schemas, examples.
 *
 * @param file how the file is named in errors
 * @throws AppError `plugin.*` with `details: { file, pointer }`, a hint, and a near match for misspelt keys
 * @example parseManifest(readFileSync('plugins/echo/plugin.json', 'utf8'), 'plugins/echo/plugin.json').name // 'echo'
 */
export function parseManifest(text: string, file: string, context: ManifestContext = {}): Manifest {
  try {
    const manifest = readManifest(text);
    for (const check of manifestChecks(manifest, context)) check();
    return manifest;
  } catch (thrown) {
    throw thrown instanceof AppError ? inFile(thrown, file) : thrown;
  }
}

/**
 * The first half of {@link parseManifest}: the document and its shape, with every wrong field in one error.
 *
 * @throws AppError `plugin.*` whose fields are JSON pointers
 */
export function readManifest(text: string): Manifest {
  const bytes = Buffer.byteLength(text);
  if (bytes > manifestLimit) {
    const problem = `is ${bytes} bytes long; at most ${manifestLimit} are read`;
    const hint = 'Leave out what the runtime need not know';
    throw problemError('manifest_too_large', { pointer: '', problem, hint });
  }
  const document = parseJson(text);
  checkJsonLimits(document, documentLimits);
  refuseDuplicates(text);
  checkApiVersion(document);
  return withDefaults(checkShape(document));
}

/** The second half: what the shape can't say, one check after the other. Each throws for one problem, as `readManifest` does. */
export function* manifestChecks(manifest: Manifest, context: ManifestContext): Iterable<() => void> {
  yield () => checkEntry(manifest.entry);
  yield () => checkVersion(manifest.version);
  yield () => checkEngine(manifest.engines.palyra, context.runtimeVersion ?? runtimeVersion());
  yield () => checkPlatform(manifest, context.platform);
  yield* capabilityChecks(manifest);
}

let manifestShape: ReturnType<typeof compileShape> | undefined;

function checkApiVersion(document: unknown): void {
  const found = (document as { readonly apiVersion?: unknown } | null)?.apiVersion;
  if (typeof found !== 'string' || found === apiVersion) return;
  throw problemError('api_version', {
    pointer: '/apiVersion',
    problem: `is '${found.slice(0, 40)}'; this runtime reads '${apiVersion}'`,
    hint: 'Install a runtime that reads this version, or build the plugin for this one',
  });
}

function checkShape(document: unknown): ManifestFile {
  manifestShape ??= compileShape(manifestSchema);
  if (manifestShape(document)) return document as ManifestFile;
  const hint = 'Run the build again: it writes plugin.json from the code';
  throw shapeError(fieldErrors(manifestShape.errors ?? []), hint);
}

function checkEntry(entry: string): void {
  if (posix.isAbsolute(entry) || /^[A-Za-z]:|\\|\0/.test(entry) || posix.normalize(entry).startsWith('..')) {
    const problem = 'leads out of the plugin folder';
    throw problemError('folder_escape', {
      pointer: '/entry',
      problem,
      hint: 'Name a file below the folder, with /',
    });
  }
  if (!/\.(js|mjs)$/.test(entry)) {
    throw problemError('entry_not_javascript', {
      pointer: '/entry',
      problem: 'is not a JavaScript file (.js or .mjs)',
      hint: 'Bundle the code to JavaScript and name the bundle',
    });
  }
}

function checkVersion(version: string): void {
  if (semver.valid(version) !== null) return;
  throw problemError('manifest_invalid', {
    pointer: '/version',
    problem: 'is not a semantic version',
    hint: 'Write three numbers, as in 1.0.0',
  });
}

function checkEngine(range: string, version: string): void {
  const pointer = '/engines/palyra';
  if (semver.validRange(range) === null) {
    throw problemError('engine', {
      pointer,
      problem: 'is not a semver range',
      hint: 'Write a range, as in >=0.1.0',
    });
  }
  if (semver.satisfies(version, range, { includePrerelease: true })) return;
  throw problemError('engine', {
    pointer,
    problem: `asks for ${range}; this runtime is ${version}`,
    hint: 'Upgrade the runtime, or use a version of the plugin that works with this one',
  });
}

function checkPlatform(manifest: Manifest, platform: string | undefined): void {
  if (platform === undefined || manifest.platforms.some((name) => name === platform)) return;
  throw problemError('platform', {
    pointer: '/platforms',
    problem: `names ${manifest.platforms.join(', ')}; this machine is ${platform}`,
    hint: 'Leave the plugin out on this machine',
  });
}
