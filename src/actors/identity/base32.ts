/** The base32 alphabet of RFC 4648 section 6: upper-case letters, then 2 to 7. */
export const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Base32 without padding (RFC 4648 section 6). Trailing bits that fill the last character are zero. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32Alphabet.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + base32Alphabet.charAt((held << (5 - bits)) & 31);
}

/**
 * The check character of a base32 text by the Luhn mod N algorithm with N = 32. It finds every single wrong character
 * and every swap of neighbours but one pair (`A` with `7`).
 */
export function luhn32(text: string): string {
  let sum = 0;
  let factor = 2;
  for (let at = text.length - 1; at >= 0; at--) {
    const product = base32Alphabet.indexOf(text.charAt(at)) * factor;
    sum += Math.floor(product / 32) + (product % 32);
    factor = factor === 2 ? 1 : 2;
  }
  return base32Alphabet.charAt((32 - (sum % 32)) % 32);
}
