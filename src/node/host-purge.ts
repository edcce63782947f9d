import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything that a node host writes into its state directory. What has another name is not its own. */
const own: readonly RegExp[] = [
  /^identity\.key$/,
  /^tls(-[0-9a-f]{16})?\.key$/,
  /^tls\.csr$/,
  /^(request|membership|pairing|keyring|lock|service-process)\.json$/,
  /^node\.db(-wal|-shm|-journal)?$/,
  /^lock(-journal|-wal|-shm)?$/,
  /^control\.sock$/,
  /^plugins$/,
  /^\..+\.tmp$/,
];

/**
 * Deletes the keys, the membership and the journal of a host that does not run. What somebody else has put into its directory stays.
 *
 * @returns what was deleted, absolute: the directory itself when nothing else was in it
 */
export async function purgeHost(stateDirectory: string): Promise<readonly string[]> {
  if (!existsSync(stateDirectory)) return [];
  const names = (await readdir(stateDirectory)).filter((name) => own.some((pattern) => pattern.test(name)));
  const paths = names.sort().map((name) => join(stateDirectory, name));
  for (const path of paths) await rm(path, { recursive: true, force: true });
  return rmdir(stateDirectory).then(
    () => [stateDirectory],
    () => paths,
  );
}
