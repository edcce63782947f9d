import { faultOfDaemon } from './handshake.js';
import type { Machine } from './machine.js';
import { type Month, nodeSkewMs } from './month.js';
import { type MonthDaemon, minute } from './month-daemon.js';

/** How long a node may be without a session while it runs and the daemon does. */
const reconnectLimitMs = 5 * minute;

/** What must hold at any moment when nothing is under way. What does not is noted as violated. */
export function checkRules(month: Month): void {
  const { daemon } = month;
  if (daemon) checkServerCertificate(month, daemon);
  for (const machine of month.machines) {
    checkPresence(month, machine);
    if (daemon && machine.life) checkCertificates(month, machine, daemon);
  }
}

/** A node that runs has its session, soon after the daemon runs. */
function checkPresence(month: Month, machine: Machine): void {
  const now = month.clock.monotonic();
  if (!machine.life || !month.daemon || month.isOnline(machine)) {
    machine.outSince = undefined;
    return;
  }
  machine.outSince ??= now;
  if (now - machine.outSince > reconnectLimitMs) machine.violated('is locked out');
}

/** The daemon's own certificate is taken by a node whose clock is off as far as it may be. */
function checkServerCertificate(month: Month, daemon: MonthDaemon): void {
  const certificate = daemon.certificate();
  month.serverCertificates.add(certificate);
  for (const off of [-nodeSkewMs, nodeSkewMs]) {
    const fault = faultOfDaemon(certificate, {
      now: month.clock.now() + off,
      trusts: daemon.caCertificates(),
    });
    if (!fault) continue;
    month.violated(
      `a node whose clock is ${off / minute} minutes off sees a server certificate that is ${fault}`,
    );
  }
}

/** Of the certificates that a node has, one is in force and known to the daemon, unless all ended while it slept. */
function checkCertificates(month: Month, machine: Machine, { devices, kernel }: MonthDaemon): void {
  const now = kernel.clock.now();
  const { certificates } = machine;
  for (const { fingerprint } of certificates) machine.had.add(fingerprint);
  if (month.returnsOf(machine) > machine.sleeps) machine.violated('has come back although it did not sleep');
  const known = new Set(devices.get(machine.deviceId)?.certificates.map(({ fingerprint }) => fingerprint));
  const hasEnded = certificates.every(({ notAfter }) => now >= notAfter);
  const isTaken = certificates.some(
    ({ fingerprint, notBefore, notAfter }) => known.has(fingerprint) && notBefore <= now && now < notAfter,
  );
  if (!hasEnded && !isTaken) machine.violated('has no certificate that the daemon takes');
}
