import { parseDuration } from '../kernel/duration.js';
import { AppError, type FieldError } from '../kernel/errors.js';
import type { Capability } from './descriptor.js';
import type { Manifest } from './manifest-schema.js';
import { below, problemError } from './plugin-errors.js';
import { type Validator, ValidatorCache } from './validators.js';

/** Milliseconds. */
const timeoutRange = { least: 100, most: 86_400_000 };

/**
 * Checks what the manifest's schema can't say of its capabilities: distinct names, timeouts in range, schemas that compile,
 * examples that match them.
 *
 * @throws AppError `plugin.*`; the field is the JSON pointer in the manifest
 */
export function checkCapabilities(manifest: Manifest): void {
  const cache = new ValidatorCache();
  if (manifest.config !== undefined) located('/config', () => cache.acquire(manifest.config ?? true));
  const places = new Map<string, number>();
  for (const [index, capability] of manifest.capabilities.entries()) {
    const at = `/capabilities/${index}`;
    const other = places.get(capability.name);
    if (other !== undefined) {
      const problem = `is also the name of /capabilities/${other}`;
      throw problemError('name_clash', {
        pointer: `${at}/name`,
        problem,
        hint: 'Give each capability its own name',
      });
    }
    places.set(capability.name, index);
    checkTimeout(capability.timeout, `${at}/timeout`);
    checkMediation(capability, `${at}/mediation`);
    const input = located(`${at}/input`, () => cache.acquire(capability.input));
    const output = located(`${at}/output`, () => cache.acquire(capability.output));
    checkExamples(capability, at, input, output);
  }
}

/** @throws AppError `duration.invalid`, `plugin.manifest_invalid` */
export function checkTimeout(timeout: string, pointer: string): void {
  const ms = parseDuration(timeout, pointer);
  if (ms >= timeoutRange.least && ms <= timeoutRange.most) return;
  throw problemError('manifest_invalid', {
    pointer,
    problem: `is '${timeout}'; it must be from 100ms to 24h`,
    hint: 'Start long work with one call and ask for its result with another',
  });
}

function checkMediation(capability: Capability, pointer: string): void {
  if (capability.mediation.mode === 'none' && capability.mediation.remember !== undefined) {
    throw problemError('manifest_invalid', {
      pointer: `${pointer}/remember`,
      problem: 'has no meaning when nobody is asked',
      hint: 'Set "mode" to "local", or leave "remember" out',
    });
  }
}

function checkExamples(capability: Capability, at: string, input: Validator, output: Validator): void {
  for (const [index, example] of capability.examples.entries()) {
    const place = `${at}/examples/${index}`;
    expectMatch(input.check(example.input), `${place}/input`, 'input');
    if (example.output !== undefined) expectMatch(output.check(example.output), `${place}/output`, 'output');
  }
}

function expectMatch(wrong: readonly FieldError[], place: string, which: string): void {
  const [first] = wrong;
  if (first === undefined) return;
  throw problemError('example_mismatch', {
    pointer: place + first.field,
    problem: `${first.message}, so the example does not match the ${which} schema`,
    hint: `Correct the example or the ${which} schema`,
  });
}

/** Moves the pointers of a schema's error to where the schema stands in the manifest. */
function located<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw thrown instanceof AppError ? below(thrown, prefix) : thrown;
  }
}
