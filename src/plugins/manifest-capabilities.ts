import { parseDuration } from '../kernel/duration.js';
import { AppError } from '../kernel/errors.js';
import type { Capability } from './descriptor.js';
import type { Manifest } from './manifest-schema.js';
import { below, problemError } from './plugin-errors.js';
import { type Validator, ValidatorCache } from './validators.js';

/** Milliseconds. */
const timeoutRange = { least: 100, most: 86_400_000 };
/** Milliseconds. */
const rememberRange = { least: 60_000, most: 30 * 86_400_000 };

/**
 * The checks of what the manifest's schema can't say of its capabilities: distinct names, timeouts in range, schemas that
 * compile, examples that match them. Each throws AppError `plugin.*` for one problem; the field is the JSON pointer in the manifest.
 */
export function* capabilityChecks(manifest: Manifest): Iterable<() => void> {
  const cache = new ValidatorCache();
  const { config } = manifest;
  if (config !== undefined) yield () => located('/config', () => cache.acquire(config));
  const places = new Map<string, number>();
  for (const [index, capability] of manifest.capabilities.entries()) {
    const at = `/capabilities/${index}`;
    yield () => checkName(capability.name, index, places);
    yield () => checkTimeout(capability.timeout, `${at}/timeout`);
    yield () => checkMediation(capability, `${at}/mediation`);
    // Without a schema that compiles there is nothing to hold an example against.
    const schemas: { input?: Validator; output?: Validator } = {};
    for (const which of ['input', 'output'] as const) {
      yield () => {
        schemas[which] = located(`${at}/${which}`, () => cache.acquire(capability[which]));
      };
    }
    for (const [number, example] of capability.examples.entries()) {
      const place = `${at}/examples/${number}`;
      yield () => expectMatch(schemas.input, example.input, `${place}/input`, 'input');
      if (example.output !== undefined)
        yield () => expectMatch(schemas.output, example.output, `${place}/output`, 'output');
    }
  }
}

function checkName(name: string, index: number, places: Map<string, number>): void {
  const other = places.get(name);
  if (other === undefined) {
    places.set(name, index);
    return;
  }
  throw problemError('name_clash', {
    pointer: `/capabilities/${index}/name`,
    problem: `is also the name of /capabilities/${other}`,
    hint: 'Give each capability its own name',
  });
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

/** @throws AppError `duration.invalid`, `plugin.manifest_invalid` */
export function checkMediation({ mediation: { mode, remember } }: Capability, pointer: string): void {
  if (remember === undefined) return;
  if (mode === 'none') {
    throw problemError('manifest_invalid', {
      pointer: `${pointer}/remember`,
      problem: 'has no meaning when nobody is asked',
      hint: 'Set "mode" to "local", or leave "remember" out',
    });
  }
  if (remember.for === undefined) return;
  const ms = parseDuration(remember.for, `${pointer}/remember/for`);
  if (ms >= rememberRange.least && ms <= rememberRange.most) return;
  throw problemError('manifest_invalid', {
    pointer: `${pointer}/remember/for`,
    problem: `is '${remember.for}'; it must be from 1m to 30d`,
    hint: 'The person chooses a shorter time, or allows one call only; this is the most',
  });
}

function expectMatch(validator: Validator | undefined, value: unknown, place: string, which: string): void {
  const [first] = validator?.check(value) ?? [];
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
