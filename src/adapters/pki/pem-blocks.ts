/** The blocks of a PEM file (RFC 7468), in their order, each with its first and last line. */
export function pemBlocks(text: string): readonly string[] {
  return text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n?/g) ?? [];
}
