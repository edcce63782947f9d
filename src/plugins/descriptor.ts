/** A JSON Schema 2020-12 document: an object (or the trivial schemas `true` and `false`). */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** How the person at the node is asked before the capability runs. */
export interface Mediation {
  readonly mode: 'none' | 'local';
  /** Lets the person allow one value for a while: where it is in the input, and whether the whole value or its web origin counts. */
  readonly remember?: { readonly pointer: string; readonly by: 'origin' | 'value' };
}

/** What a plugin asks to touch. An absent list means: nothing. */
export interface Permissions {
  readonly fileSystem?: { readonly read?: readonly string[]; readonly write?: readonly string[] };
  readonly network?: readonly string[];
  readonly childProcesses?: boolean;
  readonly environment?: readonly string[];
}

/** One worked example of a capability, shown in help, docs and the console, and checked against the schemas. */
export interface CapabilityExample {
  readonly title: string;
  readonly input: unknown;
  readonly output?: unknown;
}

/** One capability as its manifest states it. `timeout` is a duration such as `30s`. */
export interface Capability {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  readonly timeout: string;
  readonly concurrency: number;
  readonly mediation: Mediation;
  readonly readOnly: boolean;
  readonly idempotent: boolean;
  readonly destructive: boolean;
  readonly examples: readonly CapabilityExample[];
}

/**
 * What an operator approves and the daemon routes by: a capability together with everything of its plugin that bears on
 * trust. The plugin's version is not part of it, so a release that changes no promise needs no new approval.
 */
export interface Descriptor extends Capability {
  readonly plugin: string;
  readonly publisher: string;
  readonly isolation: 'process' | 'inline';
  readonly permissions: Permissions;
}
