import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../../adapters/os/private-file.js';
import { type ManagerKind, managerKinds, type ServiceSpec } from '../../adapters/service/service-manager.js';

/** What `palyra node install` has made, so that `uninstall` takes away that and nothing else. */
export interface ServiceRecord {
  readonly manager: ManagerKind;
  readonly spec: ServiceSpec;
  /** The configuration, if it was not there before: what it had in it then. */
  readonly config?: { readonly path: string; readonly sha256: string };
}

const fileName = 'service.json';

/** The service of a state directory; undefined when none is installed. @throws AppError those of the private file. */
export async function readServiceRecord(stateDirectory: string): Promise<ServiceRecord | undefined> {
  const bytes = await readPrivateFile(join(stateDirectory, fileName));
  if (bytes === undefined) return undefined;
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  const { manager } = value as Partial<Record<keyof ServiceRecord, unknown>>;
  return managerKinds.some((kind) => kind === manager) ? (value as ServiceRecord) : undefined;
}

/** @throws AppError those of the private file. */
export function writeServiceRecord(record: ServiceRecord): Promise<void> {
  const path = join(record.spec.stateDirectory, fileName);
  return writePrivateFile(path, `${JSON.stringify(record, null, 2)}\n`);
}

export function removeServiceRecord(stateDirectory: string): Promise<void> {
  return rm(join(stateDirectory, fileName), { force: true });
}

/** Whether a file holds exactly that. */
export async function holdsStill({ path, sha256 }: NonNullable<ServiceRecord['config']>): Promise<boolean> {
  return readFile(path).then(
    (bytes) => digestOf(bytes) === sha256,
    () => false,
  );
}

/** SHA-256, lower-case hex. */
export function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
