import type { LoadedPlugin } from './plugin-loader.js';

/** One build of a plugin within a host, and the runs that are under way in it or wait for their turn. */
export class Generation {
  readonly plugin: LoadedPlugin;
  /** The settings that it was loaded with; undefined is none. */
  readonly config: unknown;
  #underWay = 0;
  #idle: (() => void) | undefined;
  #drained: Promise<void> | undefined;

  constructor(plugin: LoadedPlugin, config: unknown) {
    this.plugin = plugin;
    this.config = config;
  }

  enter(): void {
    this.#underWay++;
  }

  leave(): void {
    if (--this.#underWay === 0) this.#idle?.();
  }

  /** Waits for the runs under way, each of which ends by its own deadline, and stops. It must get no more. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Stops; runs under way have the runner's grace period. */
  async stop(): Promise<void> {
    await this.plugin.runner.stop();
    this.plugin.release();
  }

  async #drain(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.stop();
  }
}
