import type { FrameChannel } from './frame-channel.js';
import { type FrameKind, frameKinds, type LogLevel } from './frames.js';

/** Bytes that may wait for the host before logs and progress are left out. */
const backlogLimit = 256 * 1024;
const messageLimit = 8 * 1024;
const fieldsLimit = 16 * 1024;

/**
 * Logs and progress on their way to the host. A handler can't be made to wait for them, so what the host does not take in
 * time is left out and counted, and the memory of this process stays bounded.
 */
export class ChildChatter {
  readonly #channel: FrameChannel;
  #logs = 0;
  #progress = 0;

  constructor(channel: FrameChannel) {
    this.#channel = channel;
  }

  /** @param sequence counts what the handler of the run has sent, so that the host sees what was left out */
  progress(id: number, sequence: number, value: unknown): void {
    if (this.#channel.backlog > backlogLimit) this.#progress++;
    else this.#send({ type: 'progress', id, sequence, value }, frameKinds.progress);
  }

  log(
    id: number,
    level: LogLevel,
    message: string,
    fields: Readonly<Record<string, unknown>> | undefined,
  ): void {
    if (this.#channel.backlog > backlogLimit) {
      this.#logs++;
      return;
    }
    const text = String(message).slice(0, messageLimit);
    this.#send({ type: 'log', id, level, message: text, fields: loggable(fields) }, frameKinds.log);
  }

  #send(frame: object, kind: FrameKind): void {
    if (this.#logs + this.#progress > 0) {
      this.#channel.send(
        JSON.stringify({ type: 'dropped', logs: this.#logs, progress: this.#progress }),
        frameKinds.control,
      );
      this.#logs = 0;
      this.#progress = 0;
    }
    this.#channel.send(JSON.stringify(frame), kind);
  }
}

/** Fields that go with a line of log: JSON of a bounded size, or a note that they were not. */
function loggable(fields: object | undefined): object | undefined {
  if (fields === undefined) return undefined;
  try {
    const { length } = JSON.stringify(fields);
    return length <= fieldsLimit ? fields : { omitted: `${length} characters` };
  } catch {
    return { omitted: 'not JSON' };
  }
}
