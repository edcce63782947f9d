/** A certificate as the CA issued it. Times are milliseconds since the epoch. */
export interface IssuedCertificate {
  readonly pem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What a certificate says that a device shows. Times are milliseconds since the epoch. */
export interface ShownDevice {
  readonly deviceId: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What the certificates of devices need of the certificate authority. */
export interface DeviceAuthority {
  /** The CA certificate, DER. */
  readonly certificate: Uint8Array;
  /** The CA certificates (PEM) that verify the daemon; the current one first. */
  caCertificates(): readonly string[];
  /** @throws AppError when the request is malformed, weak or not signed by its own key. */
  checkRequest(csr: Uint8Array): void;
  issueDevice(csr: Uint8Array, deviceId: string): Promise<IssuedCertificate>;
  /**
   * Reads a device certificate, whether it is in force or not.
   *
   * @param certificate DER
   * @returns undefined when it is none of this authority.
   */
  readDevice(certificate: Uint8Array): ShownDevice | undefined;
}
