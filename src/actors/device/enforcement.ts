import type { Deadlines } from '../../kernel/deadlines.js';
import { barOf } from './bars.js';
import type { Devices } from './devices.js';

export interface EnforcementOptions {
  readonly devices: Devices;
  readonly deadlines: Deadlines;
  readonly sessions: {
    /** Says goodbye and ends the session of a device, if it has one. */
    end(deviceId: string, kind: 'revoked' | 'replaced' | 'reconnect', reason: string): void;
    /** Tells the node of a device to renew its certificate, if it is connected. */
    renew(deviceId: string, reason: string): void;
  };
  readonly dispatches: {
    /** Ends what the device was asked for. */
    barred(deviceId: string): void;
  };
  /** Takes the connections that a device has now; the function that is returned cuts those. */
  connectionsOf(deviceId: string): () => void;
}

/** How long a device has to read why it is shut out, milliseconds. A node that does not read is cut off all the same. */
const goodbyeMs = 500;

/**
 * Makes what was decided about devices true at once: the session of a device that is shut out ends, and so does its work; one
 * that is to have a new certificate is told so. It follows from the decision itself, so there is no way to shut a device out without it.
 */
export function enforceDecisions(options: EnforcementOptions): void {
  const { devices, deadlines, sessions, dispatches, connectionsOf } = options;
  devices.onDecided(({ device, action, reason, ends }) => {
    if (action === 'rotate') sessions.renew(device.id, reason);
    if (ends) sessions.end(device.id, ends, `An operator decided which host is this device: ${reason}`);
    const bar = barOf(device);
    if (!bar) return;
    sessions.end(device.id, 'revoked', bar.reason);
    dispatches.barred(device.id);
    // Not those of a device that is let in again meanwhile.
    deadlines.set(options, goodbyeMs, connectionsOf(device.id), { label: 'cut a barred device off' });
  });
}
