import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KernelLog } from '../../kernel/log.js';
import { Secret } from '../../kernel/secret.js';
import { readPrivateFile, writePrivateFile } from '../os/private-file.js';
import { deleteKeyring, openKeyring, type StateKey, writeKeyring } from './keyring.js';
import { passphraseError } from './passphrase-errors.js';
import { seal, unseal } from './sealing.js';

/** How a sealed file begins; the id of its key and a line of base64 follow. */
const head = 'palyra-sealed/1 ';

/** The files of a state directory that hold private keys. */
const holdsKeys = /^(?:[\w-]+\.key|server\.json)$/;

/**
 * The files of a state directory that hold keys: mode 0600, replaced atomically, and sealed with AES-256-GCM while the
 * directory has a passphrase.
 *
 * Why not PKCS #8's own encryption: OpenSSL writes it with PBKDF2 of 2,048 rounds, Node has no option for more, and its CBC
 * authenticates nothing. Here one key of 32 random bytes seals all files, and that key is sealed under scrypt of the
 * passphrase. So a start pays for one derivation, and a change of the passphrase replaces one file.
 */
export class SecretFiles {
  readonly #directory: string;
  readonly #state: StateKey | undefined;
  readonly #log: Pick<KernelLog, 'info'>;

  /** Use {@link SecretFiles.open}, which asks for the passphrase that the directory has. */
  constructor(directory: string, state: StateKey | undefined, log: Pick<KernelLog, 'info'>) {
    this.#directory = directory;
    this.#state = state;
    this.#log = log;
  }

  /**
   * Opens the files of a directory. A directory that has no passphrase gets the one that is given, and what it holds in
   * clear is sealed.
   *
   * @throws AppError `passphrase.missing` or `passphrase.wrong` when it has another, `passphrase.too_short` for a new one.
   * @example
   * const files = await SecretFiles.open(directory, await takePassphrase({ env: process.env }), log);
   * const key = await files.read('ca.key');
   */
  static async open(
    directory: string,
    passphrase: Secret<string> | undefined,
    log: Pick<KernelLog, 'info'>,
  ): Promise<SecretFiles> {
    let state = await openKeyring(directory, passphrase);
    if (state === undefined && passphrase !== undefined) {
      state = await writeKeyring(directory, passphrase);
      log.info({ directory }, 'From now on the keys in this directory are sealed with the passphrase');
    }
    const files = new SecretFiles(directory, state, log);
    await files.sealAll();
    return files;
  }

  /**
   * The content of a file; undefined when there is none.
   *
   * @throws AppError `passphrase.missing` when it is sealed and the directory has no passphrase, `passphrase.damaged` when
   *   it was changed or sealed elsewhere, and those of the private file.
   */
  async read(name: string): Promise<Secret<Buffer> | undefined> {
    const content = await readPrivateFile(this.#path(name));
    if (content === undefined) return undefined;
    return new Secret(isSealed(content) ? this.#unseal(name, content) : content);
  }

  /** Replaces a file, and is on disk when it resolves. @throws AppError `private_file.unwritable`. */
  async write(name: string, content: Secret<string> | Secret<Uint8Array>): Promise<void> {
    const bytes = Buffer.from(content.reveal());
    await writePrivateFile(this.#path(name), this.#state ? sealed(this.#state, name, bytes) : bytes);
  }

  /** Writes every key in clear and forgets the passphrase. Broken off, it can be done again with the same passphrase. */
  async unsealAll(): Promise<void> {
    for (const [name, content] of await this.#keyFiles()) {
      if (isSealed(content)) await writePrivateFile(this.#path(name), this.#unseal(name, content));
    }
    await deleteKeyring(this.#directory);
  }

  /** Seals the keys that lie in clear. Nothing happens when there is no passphrase. */
  async sealAll(): Promise<void> {
    if (this.#state === undefined) return;
    for (const [name, content] of await this.#keyFiles()) {
      if (isSealed(content)) continue;
      await this.write(name, new Secret(content));
      this.#log.info({ file: this.#path(name) }, 'Sealed a key that lay in clear');
    }
  }

  async #keyFiles(): Promise<readonly (readonly [string, Buffer])[]> {
    const names = (await readdir(this.#directory)).filter((name) => holdsKeys.test(name)).sort();
    const contents = await Promise.all(names.map((name) => readPrivateFile(this.#path(name))));
    return names.flatMap((name, index) => {
      const content = contents[index];
      return content === undefined ? [] : [[name, content] as const];
    });
  }

  #unseal(name: string, content: Buffer): Buffer {
    const path = this.#path(name);
    if (this.#state === undefined) {
      throw passphraseError('damaged', `${path} is sealed, but the keyring of its directory is gone`, {
        hint: 'Restore a backup: palyra restore FILE --force',
        details: { path },
      });
    }
    const [first = '', body = ''] = content.toString('latin1').split('\n');
    const open = unseal(
      this.#state.key.reveal(),
      Buffer.from(body, 'base64url'),
      contextOf(this.#state, name),
    );
    if (first === head + this.#state.id && open !== undefined) return open;
    throw passphraseError('damaged', `${path} was not sealed here under this name, or was changed since`, {
      hint: 'Restore a backup: palyra restore FILE --force',
      details: { path },
    });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** Gives a directory another passphrase, or its first. Nothing else of it may be open. */
export async function setPassphrase(
  directory: string,
  current: Secret<string> | undefined,
  next: Secret<string>,
  log: Pick<KernelLog, 'info'>,
): Promise<void> {
  const state = await writeKeyring(directory, next, await openKeyring(directory, current));
  await new SecretFiles(directory, state, log).sealAll();
}

/**
 * Takes the passphrase of a directory away and leaves its keys in clear. Nothing else of it may be open.
 *
 * @throws AppError `passphrase.not_set`, `passphrase.missing`, `passphrase.wrong`.
 */
export async function removePassphrase(
  directory: string,
  current: Secret<string> | undefined,
  log: Pick<KernelLog, 'info'>,
): Promise<void> {
  const state = await openKeyring(directory, current);
  if (state === undefined) {
    throw passphraseError('not_set', `The keys in ${directory} have no passphrase`, {
      details: { directory },
    });
  }
  await new SecretFiles(directory, state, log).unsealAll();
}

/** Whether this is the content of a sealed file. */
export function isSealed(content: Buffer): boolean {
  return content.subarray(0, head.length).toString('latin1') === head;
}

function sealed(state: StateKey, name: string, content: Buffer): string {
  const body = seal(state.key.reveal(), content, contextOf(state, name));
  return `${head}${state.id}\n${body.toString('base64url')}\n`;
}

function contextOf({ id }: StateKey, name: string): string {
  return `palyra sealed file v1 ${id} ${name}`;
}
