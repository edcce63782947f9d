import { writeFileSync } from 'node:fs';
import type { Revocation } from '../../src/actors/device/revocations.js';
import { toOperation } from '../../src/actors/records.js';
import { sampleDeviceId } from '../../src/adapters/http/testing/samples.js';
import { openStateDirectory } from '../../src/adapters/os/state-directory.js';
import { createCa } from '../../src/adapters/pki/certificate-authority.js';
import { privateKeyToPem } from '../../src/adapters/pki/keys.js';
import { SecretFiles } from '../../src/adapters/secrets/secret-files.js';
import { RevocationFile } from '../../src/adapters/store/revocation-file.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import type { Clock } from '../../src/kernel/clock.js';
import type { Secret } from '../../src/kernel/secret.js';
import { sampleDevice } from '../model/samples.js';
import { preparedKeys } from './prepared-keys.js';

/** The devices of a sample state: `node-0`, `node-1`, and one that is revoked. */
export const sampleDevices = [1, 2, 3].map(sampleDeviceId) as [string, string, string];

/** A CA, as its files hold it. */
export interface SampleAuthority {
  readonly certificate: string;
  readonly key: Secret<string>;
}

export async function sampleAuthority(clock: Clock): Promise<SampleAuthority> {
  const ca = await createCa({ clock, keys: preparedKeys });
  return { certificate: ca.certificatePem, key: privateKeyToPem(ca.privateKey) };
}

/** Makes a state directory as palyrad leaves it. */
export async function makeSampleState(
  path: string,
  authority: SampleAuthority,
  clock: Clock,
  passphrase?: Secret<string>,
): Promise<void> {
  const [one, two, revoked] = sampleDevices;
  const state = await openStateDirectory(path, { program: 'palyrad' });
  const files = await SecretFiles.open(state.path, passphrase, { info: () => {} });
  await files.write('ca.key', authority.key);
  writeFileSync(state.file('ca.crt'), authority.certificate, { mode: 0o600 });
  writeFileSync(state.file('operator.token'), 'pat_x', { mode: 0o600 });
  const store = await openStore(state.file('palyra.db'));
  await store.commit([
    toOperation('device', one, sampleDevice({ id: one, name: 'node-0' })),
    toOperation('device', two, sampleDevice({ id: two, name: 'node-1' })),
    toOperation('device', revoked, sampleDevice({ id: revoked, name: 'old', state: 'revoked' })),
  ]);
  await store.close();
  await decideOutside(path, clock, { deviceId: revoked, action: 'revoke' });
  state.release();
}

/** Appends a decision to the file of revocations. */
export async function decideOutside(
  path: string,
  clock: Clock,
  decision: Pick<Revocation, 'deviceId' | 'action'>,
): Promise<void> {
  const revocations = await RevocationFile.open(`${path}/revocations.log`);
  await revocations.append({ at: clock.now(), by: 'operator:ada', reason: 'stolen', ...decision });
  await revocations.close();
}
