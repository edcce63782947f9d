import { Secret } from '../../kernel/secret.js';
import { readPrivateFile } from '../os/private-file.js';
import { passphraseError } from './passphrase-errors.js';

/** Characters of a new passphrase. */
export const shortestPassphrase = 12;
/** Bytes of a passphrase. */
const longestPassphrase = 1024;

const variable = 'PALYRA_PASSPHRASE';

export interface PassphraseSource {
  /** A file whose first line is the passphrase. */
  readonly file?: string | undefined;
  /** `PALYRA_PASSPHRASE` is taken out of it, so that no child process inherits it. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The passphrase of a state directory, from a private file or from `PALYRA_PASSPHRASE`; undefined when neither is given.
 *
 * @throws AppError `passphrase.ambiguous` when both are, `passphrase.missing` when the file is absent or empty,
 *   `passphrase.too_long`, and those of the private file.
 */
export async function takePassphrase({ file, env }: PassphraseSource): Promise<Secret<string> | undefined> {
  const given = env[variable];
  delete env[variable];
  if (given === undefined || given === '') return file === undefined ? undefined : readPassphraseFile(file);
  if (file === undefined) return checked(given, variable);
  throw passphraseError('ambiguous', `Both ${variable} and the passphrase file ${file} are given`, {
    hint: 'Give one of them. A file is better: the environment of a process can be read by all processes of its user',
  });
}

/** The first line of a private file. @throws AppError as {@link takePassphrase}. */
export async function readPassphraseFile(path: string): Promise<Secret<string>> {
  const content = await readPrivateFile(path);
  if (content === undefined) {
    throw passphraseError('missing', `There is no passphrase file ${path}`, {
      hint: 'Make it, with mode 0600 and the passphrase as its first line',
      details: { path },
    });
  }
  return checked(content.toString('utf8').split(/\r?\n/, 1)[0] ?? '', path);
}

/** @throws AppError `passphrase.too_short` for one that should protect something from now on. */
export function assertStrong(passphrase: Secret<string>): void {
  const { length } = [...passphrase.reveal()];
  if (length >= shortestPassphrase) return;
  throw passphraseError(
    'too_short',
    `The passphrase has ${length} characters, of at least ${shortestPassphrase}`,
    {
      hint: 'Make one with, for example: openssl rand -base64 24',
    },
  );
}

function checked(text: string, where: string): Secret<string> {
  if (text === '') {
    throw passphraseError('missing', `${where} holds no passphrase`, {
      hint: 'Its first line must be the passphrase',
    });
  }
  if (Buffer.byteLength(text) > longestPassphrase) {
    throw passphraseError('too_long', `The passphrase in ${where} has more than ${longestPassphrase} bytes`, {
      hint: 'Name a file with a passphrase in its first line',
    });
  }
  // The same characters can be typed in more than one way.
  return new Secret(text.normalize('NFC'));
}
