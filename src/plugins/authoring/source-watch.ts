import { type FSWatcher, watch } from 'node:fs';
import { dirname, sep } from 'node:path';
import { type Clock, systemClock, type TimerHandle } from '../../kernel/clock.js';

/** Editors write a file in several steps; milliseconds of quiet after which it counts as written. */
const quietMs = 60;

/**
 * Tells when one of the files changes that went into a bundle. Folders are watched rather than files, because editors put a new file in
 * the place of the old one. Installed packages are not watched.
 */
export class SourceWatch {
  readonly #onChange: () => void;
  readonly #clock: Clock;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: TimerHandle | undefined;

  constructor(onChange: () => void, clock: Clock = systemClock) {
    this.#onChange = onChange;
    this.#clock = clock;
  }

  /** Watches the folders of these files, and no others any more. */
  follow(files: readonly string[]): void {
    const own = files.filter((file) => !file.split(sep).includes('node_modules'));
    const wanted = new Set(own.map((file) => dirname(file)));
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) {
      if (this.#watchers.has(folder)) continue;
      this.#add(folder);
      // What was saved there since the bundle was made, nobody has seen.
      this.#changed();
    }
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(folder: string): void {
    const watcher = watch(folder, { persistent: true }, () => this.#changed());
    // A folder that is taken away: its files are told as changed, and what remains is watched.
    watcher.on('error', () => this.#changed());
    this.#watchers.set(folder, watcher);
  }

  #changed(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#onChange();
    }, quietMs);
  }
}
