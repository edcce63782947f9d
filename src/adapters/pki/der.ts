/** One element of DER (ITU-T X.690): `whole` with its header, `content` without. Both are views, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly whole: Buffer;
  readonly content: Buffer;
}

/**
 * Splits bytes into the DER elements that stand side by side in them. It reads what certificate requests need: tags of
 * one byte and lengths of up to two, in their only valid encoding.
 *
 * @returns undefined when the bytes are anything else.
 */
export function derElements(bytes: Buffer): DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let start = 0; start < bytes.length; ) {
    const element = elementAt(bytes, start);
    if (element === undefined) return undefined;
    elements.push(element);
    start += element.whole.length;
  }
  return elements;
}

function elementAt(bytes: Buffer, start: number): DerElement | undefined {
  const [tag, first] = bytes.subarray(start, start + 2);
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const more = first < 0x80 ? 0 : first - 0x80;
  const from = start + 2 + more;
  if ((first >= 0x80 && more === 0) || more > 2 || from > bytes.length) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(start + 2, more);
  const shortest = more === 0 || (more === 1 ? length >= 0x80 : length >= 0x100);
  const end = from + length;
  if (!shortest || end > bytes.length) return undefined;
  return { tag, whole: bytes.subarray(start, end), content: bytes.subarray(from, end) };
}
