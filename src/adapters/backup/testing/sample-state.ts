import { writeFileSync } from 'node:fs';
import { sampleDevice } from '../../../../test/model/samples.js';
import type { Revocation } from '../../../actors/device/revocations.js';
import { toOperation } from '../../../actors/records.js';
import type { Clock } from '../../../kernel/clock.js';
import type { Secret } from '../../../kernel/secret.js';
import { sampleDeviceId } from '../../http/testing/samples.js';
import { openStateDirectory } from '../../os/state-directory.js';
import { createCa } from '../../pki/certificate-authority.js';
import { freshKeys, privateKeyToPem } from '../../pki/keys.js';
import { SecretFiles } from '../../secrets/secret-files.js';
import { RevocationFile } from '../../store/revocation-file.js';
import { openStore } from '../../store/sqlite/sqlite-store.js';

/** The devices of a sample state: `node-0`, `node-1`, and one that is revoked. */
export const sampleDevices = [1, 2, 3].map(sampleDeviceId) as [string, string, string];

/** A CA, as its files hold it. */
export interface SampleAuthority {
  readonly certificate: string;
  readonly key: Secret<string>;
}

export async function sampleAuthority(clock: Clock): Promise<SampleAuthority> {
  const ca = await createCa({ clock, keys: freshKeys });
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
