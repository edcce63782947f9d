import { openStateDirectory } from '../../src/adapters/os/state-directory.js';
import { AppError } from '../../src/kernel/errors.js';

/** Takes the directory named by its argument, prints what came of it and stays until it is killed. */
const [path = ''] = process.argv.slice(2);
try {
  await openStateDirectory(path, { program: 'lock-child' });
  process.stdout.write('{"locked":true}\n');
  process.stdin.resume();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stdout.write(`${JSON.stringify(error.toEnvelope())}\n`);
}
