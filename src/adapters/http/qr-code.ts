import { toBuffer, toString as toText } from 'qrcode';
import type { QrFormat } from '../../contract/pairing-code-states.js';

/** A text as a QR code (ISO/IEC 18004), with the quiet zone of 4 modules around it. PNG is base64. */
export async function qrCode(
  text: string,
  format: QrFormat,
): Promise<{ readonly format: QrFormat; readonly image: string }> {
  const options = { errorCorrectionLevel: 'M', margin: 4 } as const;
  const image =
    format === 'svg'
      ? await toText(text, { ...options, type: 'svg' })
      : (await toBuffer(text, { ...options, type: 'png' })).toString('base64');
  return { format, image };
}
