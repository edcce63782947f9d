import type { PrivateFiles } from '../../../src/adapters/os/private-directory.js';
import { Secret } from '../../../src/kernel/secret.js';
import type { KeyFiles } from '../../../src/node/identity-store.js';
import { turns } from '../../../src/testing/process-life.js';
import type { Process } from './process.js';

/** What is about to happen to a file, or has just happened: the moments between which a process may die. */
export type FileStep = { readonly name: string; readonly at: 'before' | 'after' };

/** A directory in memory as one process sees it: each change happens as a whole, or not at all when the process dies before. */
export class ProcessFiles implements PrivateFiles {
  readonly #process: Process;
  readonly #files: Map<string, Buffer>;
  readonly #step: (step: FileStep) => void;

  /** @param step called around each change; it may let the process die */
  constructor(process: Process, files: Map<string, Buffer>, step: (step: FileStep) => void) {
    this.#process = process;
    this.#files = files;
    this.#step = step;
  }

  async read(name: string): Promise<Buffer | undefined> {
    return this.#files.get(name);
  }

  async names(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }

  write(name: string, content: string | Uint8Array): Promise<void> {
    return this.#change(name, () => this.#files.set(name, Buffer.from(content)));
  }

  remove(name: string): Promise<void> {
    return this.#change(name, () => this.#files.delete(name));
  }

  /** The same files for what is secret. */
  get secrets(): KeyFiles {
    return {
      read: async (name) => {
        const content = await this.read(name);
        return content && new Secret(content);
      },
      write: (name, content) => this.write(name, content.reveal()),
    };
  }

  #change(name: string, change: () => void): Promise<void> {
    return this.#process.during(
      turns(1).then(() => {
        if (!this.#process.dead) this.#step({ name, at: 'before' });
        if (this.#process.dead) return;
        change();
        this.#step({ name, at: 'after' });
      }),
    );
  }
}
