import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { newerFormat } from './archive-cipher.js';
import { damaged } from './backup-errors.js';
import { digestOf } from './file-digest.js';

/** The first file of an archive. */
export const manifestFile = 'manifest.json';
/** The last one: the hash of the manifest, as `sha256sum -c` reads it. */
export const checksumFile = 'manifest.json.sha256';
export const manifestLimit = 64 * 1024;
const format = 1;

/** The files of a daemon's state directory that a backup may hold, in the order of the archive, and their limits in bytes. */
export const stateFiles = {
  'ca.crt': 64 * 1024,
  'ca.key': 64 * 1024,
  'keyring.json': 64 * 1024,
  'palyra.db': 2 ** 40,
  'revocations.log': 2 ** 30,
  'palyra.yaml': 256 * 1024,
} as const;
export type StateFile = keyof typeof stateFiles;
export const stateFileNames = Object.keys(stateFiles) as readonly StateFile[];

/** Without these a backup is none. */
const required: readonly StateFile[] = ['ca.crt', 'ca.key', 'palyra.db'];

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const schema = Type.Object(
  {
    format: Type.Literal(format),
    /** Of the program that made it. */
    version: Type.String({ maxLength: 64 }),
    /** RFC 3339, UTC. */
    createdAt: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
    /** The CAs of the daemon, oldest first: their public keys and certificates, as SHA-256. */
    authorities: Type.Array(
      Type.Object({ id: sha256, fingerprint: sha256 }, { additionalProperties: false }),
      {
        minItems: 1,
        maxItems: 16,
      },
    ),
    files: Type.Array(
      Type.Object(
        {
          name: Type.Enum([...stateFileNames]),
          size: Type.Integer({ minimum: 0 }),
          sha256,
        },
        { additionalProperties: false },
      ),
      { maxItems: stateFileNames.length },
    ),
  },
  { additionalProperties: false },
);

/** What an archive says of itself. */
export type Manifest = Static<typeof schema>;
export type ManifestFile = Manifest['files'][number];

/** The content of the last file, for a manifest. */
export function checksumOf(manifest: Uint8Array): Buffer {
  return Buffer.from(`${digestOf(manifest)}  ${manifestFile}\n`);
}

/** The manifest of a backup that this program makes. */
export function manifestOf(facts: Omit<Manifest, 'format'>): Manifest {
  return { format, ...facts };
}

/**
 * Reads a manifest.
 *
 * @throws AppError `backup.newer_format`, `backup.damaged` when it is not what this program writes.
 */
export function parseManifest(content: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    throw damaged('its manifest is not JSON');
  }
  const { format: found } = (value ?? {}) as { readonly format?: unknown };
  if (typeof found === 'number' && found > format) throw newerFormat(found, format);
  if (!Value.Check(schema, value)) throw damaged('its manifest is not one of this program');
  const names = value.files.map(({ name }) => name);
  const isInOrder = names.every((name, index) => index === 0 || orderOf(name) > orderOf(names[index - 1]));
  const isComplete = required.every((name) => names.includes(name));
  const isWithinLimits = value.files.every(({ name, size }) => size <= stateFiles[name]);
  if (!isInOrder || !isComplete || !isWithinLimits)
    throw damaged('its manifest lists other files than a backup has');
  return value;
}

function orderOf(name: StateFile | undefined): number {
  return name === undefined ? -1 : stateFileNames.indexOf(name);
}
