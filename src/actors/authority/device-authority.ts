/** A certificate as the CA issued it. Times are milliseconds since the epoch. */
export interface IssuedCertificate {
  readonly pem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the certificate of the CA that issued it, lower-case hex. */
  readonly issuer: string;
  /** SHA-256 of its public key (SubjectPublicKeyInfo, DER), lower-case hex. */
  readonly keySha256?: string;
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
  /**
   * The CA certificate (DER) with that SHA-256, if this daemon has it and proves itself by it; else that of the CA by which it
   * proves itself to whoever knows none.
   */
  certificateFor(sha256: Uint8Array): Uint8Array;
  /** The CA certificates (PEM) that verify the daemon; the current one first. */
  caCertificates(): readonly string[];
  /**
   * @returns SHA-256 of the request's public key (SubjectPublicKeyInfo, DER), lower-case hex.
   * @throws AppError when the request is malformed, weak or not signed by its own key.
   */
  checkRequest(csr: Uint8Array): string;
  issueDevice(csr: Uint8Array, deviceId: string): Promise<IssuedCertificate>;
  /**
   * Reads a device certificate of a CA that is trusted, whether it is in force or not.
   *
   * @param certificate DER
   * @returns undefined when it is none of this authority.
   */
  readDevice(certificate: Uint8Array): ShownDevice | undefined;
  /** Whether certificates of that CA are accepted. @param issuer SHA-256 of its certificate, hex */
  trusts(issuer: string): boolean;
}
