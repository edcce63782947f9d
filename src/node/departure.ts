import { nodeError } from '../actors/errors.js';
import { privateDirectory } from '../adapters/os/private-directory.js';
import { openStateDirectory } from '../adapters/os/state-directory.js';
import { freshKeys } from '../adapters/pki/keys.js';
import { SecretFiles } from '../adapters/secrets/secret-files.js';
import { type AppError, toAppError } from '../kernel/errors.js';
import type { KernelLog } from '../kernel/log.js';
import type { Secret } from '../kernel/secret.js';
import { Credentials } from './credentials.js';
import { grpcLeave } from './daemon-link.js';
import { IdentityStore } from './identity-store.js';
import { isDaemonsWord, isShutOut } from './link-errors.js';

export interface DepartureOptions {
  readonly stateDirectory: string;
  readonly passphrase?: Secret<string>;
  readonly log: KernelLog;
  /** Why, for the operator; at most 500 characters. */
  readonly reason: string;
  /** Default: gRPC over TLS 1.3. */
  readonly leave?: typeof grpcLeave;
}

/** What came of it. `shut out`: the daemon had done so already. `not told`: nobody could be told, or the daemon said no. */
export type Departure =
  | { readonly outcome: 'left' | 'shut out'; readonly deviceId: string }
  | { readonly outcome: 'no member' }
  | { readonly outcome: 'not told'; readonly deviceId: string; readonly error: AppError };

/**
 * Takes this machine out of its daemon: its certificate is refused from then on. Each address is tried once with each certificate.
 * Keys and membership stay where they are. The host must not run.
 *
 * @throws AppError what the state directory, its passphrase and the keys throw. A daemon that is not reached is an outcome.
 */
export async function leaveDaemon(options: DepartureOptions): Promise<Departure> {
  const directory = await openStateDirectory(options.stateDirectory, {
    program: 'palyra node uninstall',
    mustExist: true,
    log: options.log,
  });
  try {
    const files = await SecretFiles.open(directory.path, options.passphrase, options.log);
    const store = new IdentityStore(privateDirectory(directory.path), freshKeys, files);
    const membership = await store.readMembership();
    if (!membership) return { outcome: 'no member' };
    return await tell(await Credentials.open(store, await store.identity(), membership), options);
  } finally {
    directory.release();
  }
}

async function tell(
  credentials: Credentials,
  { reason, leave = grpcLeave }: DepartureOptions,
): Promise<Departure> {
  const { deviceId, nodeAddresses, caCertificates } = credentials.membership;
  let error: AppError | undefined;
  for (const attempt of [0, 1]) {
    const credential = credentials.choose(attempt, Date.now());
    if (attempt === 1 && credential === credentials.newest) break;
    for (const address of nodeAddresses) {
      try {
        await leave({ address, caCertificates, credential }, { deviceId, reason });
        return { outcome: 'left', deviceId };
      } catch (thrown) {
        const failure = toAppError(thrown);
        if (isShutOut(failure)) return { outcome: 'shut out', deviceId };
        // What the daemon said of the matter counts for more than that another address is silent.
        if (error === undefined || isDaemonsWord(failure)) error = failure;
      }
    }
  }
  return {
    outcome: 'not told',
    deviceId,
    error: error ?? nodeError('not_paired', 'The daemon has given this machine no address'),
  };
}
