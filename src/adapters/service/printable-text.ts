import { serviceError } from './service-errors.js';

/**
 * Refuses text with control characters, which no file of a service manager can hold.
 *
 * @param file what would hold it: `unit`
 * @throws AppError `service.bad_path`
 */
export function requirePrintable(text: string, file: string): void {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0x20 && code !== 0x7f) continue;
    throw serviceError(
      'bad_path',
      `${JSON.stringify(text)} has a control character, which no ${file} can hold`,
      { hint: 'Use another path for the state directory and the configuration.' },
    );
  }
}
