import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

declare module 'node-forge' {
  namespace pki {
    /** The part of a certificate that is signed. Exported by node-forge, missing in its types. */
    function getTBSCertificate(certificate: Certificate): asn1.Asn1;
    /** The part of a certificate request that is signed. Exported by node-forge, missing in its types. */
    function getCertificationRequestInfo(request: CertificateSigningRequest): asn1.Asn1;
  }
}

const signInThreadPool = promisify(
  (data: Uint8Array, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) =>
    sign('sha256', data, key, done),
);

const { asn1, pki } = forge;
const algorithm = pki.oids.sha256WithRSAEncryption as string;

/** One entry of a certificate's extensions in node-forge's form. */
export type ForgeExtension = { readonly name: string } & Readonly<Record<string, unknown>>;

/** A certificate before it is signed. */
export interface CertificateTemplate {
  /** RSA; an EC key fails in node-forge. */
  readonly publicKey: KeyObject;
  readonly subject: readonly forge.pki.CertificateField[];
  readonly issuer: readonly forge.pki.CertificateField[];
  /** Milliseconds since the epoch; the certificate holds whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly ForgeExtension[];
}

/**
 * Builds an X.509 v3 certificate (RFC 5280) with a serial number of 128 random bits and signs it with SHA-256 and RSA.
 * node-forge writes the ASN.1; the signature is made by Node's crypto in the thread pool, because one in JavaScript would
 * block the event loop for tens of milliseconds.
 *
 * @returns the DER.
 */
export function signCertificate(template: CertificateTemplate, issuerKey: KeyObject): Promise<Buffer> {
  const certificate = pki.createCertificate();
  // The first byte keeps the number positive and its encoding the shortest, whatever follows.
  certificate.serialNumber = `01${randomBytes(16).toString('hex')}`;
  certificate.siginfo.algorithmOid = algorithm;
  certificate.publicKey = forgePublicKey(template.publicKey);
  certificate.validity.notBefore = new Date(template.notBefore);
  certificate.validity.notAfter = new Date(template.notAfter);
  certificate.setSubject([...template.subject]);
  certificate.setIssuer([...template.issuer]);
  certificate.setExtensions(template.extensions.map((extension) => ({ ...extension })));
  return seal(pki.getTBSCertificate(certificate), issuerKey);
}

/**
 * Builds a certificate request (PKCS #10, RFC 2986) without attributes, signed by its own key.
 *
 * @returns the DER.
 */
export function signRequest(
  subject: readonly forge.pki.CertificateField[],
  publicKey: KeyObject,
  privateKey: KeyObject,
): Promise<Buffer> {
  const request = pki.createCertificationRequest();
  request.publicKey = forgePublicKey(publicKey);
  request.setSubject([...subject]);
  return seal(pki.getCertificationRequestInfo(request), privateKey);
}

/** The identifier of an RSA key by the first method of RFC 5280 section 4.2.1.2, as a string of bytes. */
export function keyIdentifierOf(publicKey: KeyObject): string {
  return pki.getPublicKeyFingerprint(forgePublicKey(publicKey), { type: 'RSAPublicKey' }).getBytes();
}

function forgePublicKey(key: KeyObject): forge.pki.rsa.PublicKey {
  return pki.publicKeyFromPem(key.export({ format: 'pem', type: 'spki' }).toString());
}

/** Signs the DER of `body` and wraps both, as certificates and requests alike are wrapped. */
async function seal(body: forge.asn1.Asn1, key: KeyObject): Promise<Buffer> {
  const signature = await signInThreadPool(Buffer.from(asn1.toDer(body).getBytes(), 'latin1'), key);
  const { Class, Type, create, oidToDer, toDer } = asn1;
  const sealed = create(Class.UNIVERSAL, Type.SEQUENCE, true, [
    body,
    create(Class.UNIVERSAL, Type.SEQUENCE, true, [
      create(Class.UNIVERSAL, Type.OID, false, oidToDer(algorithm).getBytes()),
      create(Class.UNIVERSAL, Type.NULL, false, ''),
    ]),
    create(Class.UNIVERSAL, Type.BITSTRING, false, `\0${signature.toString('latin1')}`),
  ]);
  return Buffer.from(toDer(sealed).getBytes(), 'latin1');
}
