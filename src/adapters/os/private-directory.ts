import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file.js';

/** Files of mode 0600 in one directory, by name: each holds all of its new content or all of the old. */
export interface PrivateFiles {
  /** Undefined when there is none. @throws AppError those of {@link readPrivateFile}. */
  read(name: string): Promise<Buffer | undefined>;
  /** Is on disk when it resolves. @throws AppError `private_file.unwritable`. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** One that is not there is no error. */
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

/** The private files of a directory that exists. */
export function privateDirectory(path: string): PrivateFiles {
  return {
    read: (name) => readPrivateFile(join(path, name)),
    write: (name, content) => writePrivateFile(join(path, name), content),
    remove: (name) => rm(join(path, name), { force: true }),
    names: () => readdir(path),
  };
}
