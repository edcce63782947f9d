import { parentPort, workerData } from 'node:worker_threads';
import { toAppError } from '../../kernel/errors.js';
import { loadDefinition } from '../plugin-code.js';
import type { DefinitionAnswer, DefinitionRequest } from './definition.js';

// The program of the thread of `definition.ts`: loads one plugin, says what it defines, and ends.
async function answer(): Promise<DefinitionAnswer> {
  try {
    // JSON leaves the handlers out, which are functions.
    return { json: JSON.stringify(await loadDefinition(workerData as DefinitionRequest)) };
  } catch (thrown) {
    return { failure: toAppError(thrown).toEnvelope() };
  }
}

parentPort?.postMessage(await answer());
