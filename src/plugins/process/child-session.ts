import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AppError } from '../../kernel/errors.js';
import { deepFreeze } from '../deep-freeze.js';
import { invokeHandler, jsonOutput, type RunState, runFailure } from '../handler-run.js';
import { loadHandlers } from '../plugin-code.js';
import { pluginError } from '../plugin-errors.js';
import { outputTooLarge, unknownCapability } from '../runner.js';
import type { Handler, PluginLog } from '../sdk/handler.js';
import { ChildChatter } from './child-chatter.js';
import { failureOf } from './failure.js';
import { FrameChannel } from './frame-channel.js';
import { type ChildFrame, type HostFrame, type LogLevel, processProtocol } from './frames.js';

type Hello = Extract<HostFrame, { readonly type: 'hello' }>;
type Run = Extract<HostFrame, { readonly type: 'run' }>;

interface OpenRun extends RunState {
  readonly controller: AbortController;
  readonly requests: Map<number, (error: string | undefined) => void>;
}

/**
 * The child's side of the pipe: loads one plugin and runs its handlers as the host says. It imports nothing heavy, because
 * a cold plugin's first caller waits for it: input and output are checked by the host.
 */
export class ChildSession {
  readonly #channel: FrameChannel;
  readonly #chatter: ChildChatter;
  readonly #runs = new Map<number, OpenRun>();
  #handlers: ReadonlyMap<string, Handler> = new Map();
  #plugin = '';
  #config: unknown = Object.freeze({});
  #maxOutputBytes = 0;
  #requests = 0;

  /** @param end is called when the host is gone: nothing of this process may stay. */
  constructor(stream: ConstructorParameters<typeof FrameChannel>[0], end: () => void) {
    this.#channel = new FrameChannel(stream, {
      frame: (_, text) => this.#take(JSON.parse(text.toString('utf8')) as HostFrame),
      end,
      broken: end,
    });
    this.#chatter = new ChildChatter(this.#channel);
  }

  #take(frame: HostFrame): void {
    switch (frame.type) {
      case 'hello':
        void this.#load(frame);
        break;
      case 'config':
        this.#config = deepFreeze(frame.value);
        break;
      case 'run':
        void this.#run(frame);
        break;
      case 'cancel':
        this.#runs.get(frame.id)?.controller.abort(new Error(frame.reason));
        break;
      case 'answer':
        this.#runs.get(frame.id)?.requests.get(frame.request)?.(frame.error);
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        break;
    }
  }

  async #load({ protocol, plugin, entry, build, capabilities, maxOutputBytes }: Hello): Promise<void> {
    this.#plugin = plugin;
    this.#maxOutputBytes = maxOutputBytes;
    try {
      if (protocol !== processProtocol) throw otherProtocol(plugin, protocol);
      // What runs is what was announced, not what has been written to its place since.
      const found = createHash('sha256')
        .update(await readFile(entry))
        .digest('hex');
      if (found !== build) throw buildChanged(plugin);
      this.#handlers = await loadHandlers({ plugin, entry, capabilities });
    } catch (thrown) {
      this.#send({ type: 'refused', failure: failureOf(thrown) });
      return;
    }
    this.#send({ type: 'ready', protocol: processProtocol, plugin, build, capabilities });
  }

  async #run({ id, capability, input, deadline }: Run): Promise<void> {
    const controller = new AbortController();
    const run: OpenRun = { over: false, controller, requests: new Map() };
    this.#runs.set(id, run);
    const { signal } = controller;
    let sequence = 0;
    try {
      const handler = this.#handlers.get(capability);
      if (handler === undefined) throw unknownCapability(this.#plugin, capability);
      const call = {
        capability,
        input,
        signal,
        deadline,
        progress: (value: unknown) => {
          sequence += 1;
          this.#chatter.progress(id, sequence, value);
        },
        log: this.#logOf(id),
        config: this.#config,
        host: { openUrl: (url: string) => this.#openUrl(id, run, url) },
      };
      const output = jsonOutput(capability, await this.#outcome(handler, call, run));
      const text = JSON.stringify(output);
      const size = Buffer.byteLength(text);
      if (size > this.#maxOutputBytes) throw outputTooLarge(capability, size, this.#maxOutputBytes);
      this.#channel.send(`{"type":"done","id":${id},"output":${text}}`);
    } catch (thrown) {
      this.#send({ type: 'failed', id, failure: failureOf(thrown) });
    } finally {
      run.over = true;
      this.#runs.delete(id);
    }
  }

  async #outcome(
    handler: Handler,
    call: Parameters<typeof invokeHandler>[1],
    run: RunState,
  ): Promise<unknown> {
    const outcome = invokeHandler(handler, call, run);
    try {
      return await outcome;
    } catch (thrown) {
      throw runFailure(call, thrown);
    }
  }

  #logOf(id: number): PluginLog {
    const at =
      (level: LogLevel) =>
      (message: string, fields?: Readonly<Record<string, unknown>>): void =>
        this.#chatter.log(id, level, message, fields);
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  #openUrl(id: number, run: OpenRun, url: string): Promise<void> {
    const request = ++this.#requests;
    return new Promise((resolve, reject) => {
      run.requests.set(request, (error) => {
        run.requests.delete(request);
        if (error === undefined) resolve();
        else reject(new Error(error));
      });
      this.#send({ type: 'open', id, request, url: String(url) });
    });
  }

  #send(frame: ChildFrame): void {
    this.#channel.send(JSON.stringify(frame));
  }
}

function otherProtocol(plugin: string, protocol: number): AppError {
  const message = `The process of plugin '${plugin}' speaks protocol ${processProtocol}, its host ${protocol}`;
  return pluginError('process_protocol', message, {
    hint: 'The package was replaced under the running node host: start the host again',
  });
}

function buildChanged(plugin: string): AppError {
  const message = `The code of plugin '${plugin}' has changed on the disk since it was loaded`;
  return pluginError('build_changed', message, { hint: 'Reload the plugins of the node' });
}
