import type { Capability } from '../descriptor.js';
import type { Manifest } from '../manifest-schema.js';
import { advice, type Finding } from './finding.js';
import { inputAdvice, outputAdvice } from './schema-advice.js';

/** What could be better about a sound manifest. */
export function adviceFor(manifest: Manifest): readonly Finding[] {
  return manifest.capabilities.flatMap((capability, index) => {
    const at = `/capabilities/${index}`;
    return [
      ...promiseAdvice(manifest, capability, at),
      ...inputAdvice(capability.input, `${at}/input`),
      ...outputAdvice(capability.output, `${at}/output`),
    ];
  });
}

function promiseAdvice(
  { permissions }: Manifest,
  { readOnly, idempotent, destructive, mediation, examples, name }: Capability,
  at: string,
): readonly Finding[] {
  const found: Finding[] = [];
  if (readOnly && destructive) {
    found.push(
      advice(
        'contradiction',
        `${at}/destructive`,
        'says that it deletes, and readOnly says that it changes nothing',
        {
          hint: 'Keep the one that is true',
        },
      ),
    );
  }
  if (readOnly && (permissions.fileSystem?.write?.length ?? 0) > 0) {
    found.push(
      advice(
        'contradiction',
        `${at}/readOnly`,
        'says that it changes nothing, and the plugin asks to write files',
        {
          hint: 'Leave readOnly out, or the permission',
        },
      ),
    );
  }
  if (destructive && mediation.mode === 'none') {
    found.push(
      advice(
        'destructive_unmediated',
        `${at}/mediation`,
        `lets '${name}' destroy something without anybody being asked`,
        {
          hint: "Set mediation to { mode: 'local' }, so that the person at the node is asked",
        },
      ),
    );
  }
  if (destructive && idempotent) {
    found.push(
      advice(
        'destructive_repeated',
        `${at}/idempotent`,
        'allows it to be run again after a lost connection',
        {
          hint: 'Leave idempotent out unless running it twice destroys no more than running it once',
        },
      ),
    );
  }
  if (examples.length === 0) {
    found.push(
      advice('no_examples', `${at}/examples`, 'are empty', {
        hint: 'Give one: it is shown in help and in the console, and checked against the schemas',
      }),
    );
  }
  return found;
}
