import type { AppError } from '../kernel/errors.js';

/** Whether an error is the daemon's own word that this node is not wanted (protocol.md 13). */
export function isRefusal(error: AppError): boolean {
  return (
    !error.retryable && (error.code.startsWith('session.') || error.code === 'pairing.unsupported_protocol')
  );
}

/** Whether the daemon said it, rather than the transport on its way there. */
export function isDaemonsWord({ code }: AppError): boolean {
  return code.startsWith('session.') || code.startsWith('pairing.');
}

/** Whether an operator of the daemon has shut this device or this host out: nothing that the daemon asked for goes on. */
export function isShutOut(error: AppError): boolean {
  return error.code === 'session.revoked' || error.code === 'session.clone_rejected';
}

/** Whether the daemon says that the certificate is the matter: it has ended, or is not in its records. */
export function isAboutCertificate({ code }: AppError): boolean {
  return code === 'session.unknown_certificate' || code === 'session.certificate_expired';
}

/** Whether the daemon, or its operator, says that this node may not come back. */
export function isRefusedReturn(error: AppError): boolean {
  const codes = ['pairing.device_barred', 'pairing.unknown_device', 'node.refused'];
  return codes.includes(error.code) || isRefusal(error);
}
