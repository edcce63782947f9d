/**
 * Joins fields so that no two different lists give the same bytes: each field is preceded by its length, 4 bytes
 * big-endian. Texts are UTF-8.
 */
export function lengthPrefixed(...fields: readonly (Uint8Array | string)[]): Buffer {
  const parts: Buffer[] = [];
  for (const field of fields) {
    const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field;
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(bytes.length);
    parts.push(prefix, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  return Buffer.concat(parts);
}
