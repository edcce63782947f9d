import { join } from 'node:path';
import { Devices } from '../../src/actors/device/devices.js';
import { RevocationFile } from '../../src/adapters/store/revocation-file.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { systemClock } from '../../src/kernel/clock.js';

/*
 * Revokes a device of a state directory as the daemon does, and dies by kill -9 when the file has the revocation and the
 * database is about to get it. Arguments: the state directory and the device id.
 */

const [directory = '', deviceId = ''] = process.argv.slice(2);
const store = await openStore(join(directory, 'palyra.db'));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const devices = await Devices.open({
  store: {
    get: (kind, id) => store.get(kind, id),
    list: (query) => store.list(query),
    heads: (query) => store.heads(query),
    history: (kind, id) => store.history(kind, id),
    close: () => store.close(),
    commit: () => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    },
  },
  revocations: await RevocationFile.open(join(directory, 'revocations.log')),
  clock: systemClock,
  log,
});
const caller = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
process.stdout.write(`${JSON.stringify({ event: 'was', state: devices.get(deviceId)?.state })}\n`);
await devices.decide(deviceId, { type: 'revoke', caller, reason: 'just in time' });
process.stdout.write(`${JSON.stringify({ event: 'survived' })}\n`);
