import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { AppError, type ErrorEnvelope } from '../../kernel/errors.js';
import type { PluginCode } from '../plugin-code.js';
import { pluginError } from '../plugin-errors.js';
import { programFile } from '../program-file.js';
import type { DefinedCapability, PluginDefinition } from '../sdk/define-plugin.js';

/** What `definePlugin` was given, as data: without the handlers. */
export interface PluginDescription extends Omit<PluginDefinition, 'capabilities'> {
  readonly capabilities: readonly Omit<DefinedCapability, 'handler'>[];
}

/** What the thread is given, and what it answers. */
export type DefinitionRequest = Pick<PluginCode, 'plugin' | 'entry'>;
export type DefinitionAnswer = { readonly json: string } | { readonly failure: ErrorEnvelope };

/** How long a plugin may take to load, milliseconds; a node gives it as long. */
const loadLimitMs = 10_000;
const memoryMb = 512;

/**
 * Loads a plugin's bundle and says what it defines. Its code runs in a thread, so that one that never ends, ends the program
 * or writes to the terminal does nothing here, and the next version of it is loaded afresh.
 *
 * @throws AppError `plugin.load_failed`, `plugin.load_timeout`
 */
export async function readDefinition(
  request: DefinitionRequest,
  clock: Clock = systemClock,
): Promise<PluginDescription> {
  const worker = new Worker(programFile('authoring/definition-worker.js'), {
    workerData: request,
    // What it prints is drained and dropped: this program's output is its own.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  worker.stdout.resume();
  worker.stderr.resume();
  const answer = await new Promise<DefinitionAnswer>((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(tooLate(request)), loadLimitMs);
    const end = <T>(settle: (value: T) => void) => {
      return (value: T): void => {
        clock.clearTimeout(timer);
        settle(value);
      };
    };
    worker.once('message', end(resolve));
    worker.once(
      'error',
      end((error) => reject(failed(request, String(error), error))),
    );
    worker.once(
      'exit',
      end(() => reject(failed(request, 'it ended the program while it was loaded'))),
    );
  }).finally(() => worker.terminate());
  if ('failure' in answer) throw AppError.fromEnvelope(answer.failure);
  return JSON.parse(answer.json) as PluginDescription;
}

function tooLate({ plugin }: DefinitionRequest): AppError {
  return pluginError('load_timeout', `Plugin '${plugin}' has not loaded in ${loadLimitMs / 1000} s`, {
    hint: 'Do the work in the handlers: loading a plugin only defines it',
  });
}

function failed({ plugin }: DefinitionRequest, why: string, cause?: unknown): AppError {
  return pluginError('load_failed', `Plugin '${plugin}' can not be loaded: ${why}`, {
    hint: 'Do the work in the handlers: loading a plugin only defines it',
    ...(cause === undefined ? {} : { cause }),
  });
}
