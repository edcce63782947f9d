import type { VerifiedCaller } from '../../kernel/authority.js';
import { sessionError } from '../errors.js';
import type { NodePeer } from '../session/sessions.js';
import type { Devices } from './devices.js';

/** A machine's wish to be trusted no more. */
export interface LeaveDaemon {
  readonly deviceId: string;
  /** Why, in the words of the person at the machine; may be empty. */
  readonly reason: string;
}

const longestReason = 500;

/**
 * Takes a device out because its own machine asks for it: it becomes a tombstone, its certificates are refused, and its session and
 * its work end as after a removal. It comes back as any removed device does, when an operator lifts that.
 *
 * @param caller the device of the verified connection; the machine of devices reads it.
 * @throws AppError `session.wrong_device` when the message names another device than the certificate, `session.protocol` for a
 *   reason that is too long, `device.*` and `revocations.unwritable` as {@link Devices.decide}.
 */
export async function leaveDaemon(
  devices: Devices,
  peer: NodePeer,
  caller: VerifiedCaller,
  { deviceId, reason }: LeaveDaemon,
): Promise<void> {
  if (deviceId !== peer.deviceId) {
    throw sessionError('wrong_device', 'The certificate of this connection belongs to another device', {
      fields: [{ field: 'device_id', message: `is not ${peer.deviceId}` }],
    });
  }
  if (reason.length > longestReason) {
    throw sessionError('protocol', `reason may have at most ${longestReason} characters`, {
      fields: [{ field: 'reason', message: `has ${reason.length} characters` }],
    });
  }
  await devices.decide(peer.deviceId, { type: 'leave', caller, reason });
}
