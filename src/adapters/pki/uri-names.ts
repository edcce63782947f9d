import type { KeyObject } from 'node:crypto';
import { type DeviceId, isDeviceId } from '../../actors/identity/device-id.js';
import { publicKeySha256 } from './keys.js';

const devicePrefix = 'palyra://device/';
const daemonPrefix = 'palyra://daemon/';
const caIdPattern = /^[0-9a-f]{64}$/;

/** Who a certificate stands for, by the one URI in its subject alternative names. */
export type CertificateName =
  | { readonly kind: 'device'; readonly deviceId: DeviceId }
  | { readonly kind: 'daemon'; readonly caId: string };

/** Names a daemon by its CA's key, whatever its address: SHA-256 of the CA's SubjectPublicKeyInfo, 64 hex digits. */
export function caIdOf(caPublicKey: KeyObject): string {
  return publicKeySha256(caPublicKey);
}

/** The URI of a device certificate. */
export function deviceUri(id: DeviceId): string {
  return `${devicePrefix}${id}`;
}

/** The URI of a daemon's server certificate. */
export function daemonUri(caId: string): string {
  return `${daemonPrefix}${caId}`;
}

/** Reads the URI of a certificate. Undefined unless it is exactly one of the two forms. */
export function parseCertificateUri(uri: string): CertificateName | undefined {
  if (uri.startsWith(devicePrefix)) {
    const deviceId = uri.slice(devicePrefix.length);
    return isDeviceId(deviceId) ? { kind: 'device', deviceId } : undefined;
  }
  const caId = uri.slice(daemonPrefix.length);
  return uri.startsWith(daemonPrefix) && caIdPattern.test(caId) ? { kind: 'daemon', caId } : undefined;
}
