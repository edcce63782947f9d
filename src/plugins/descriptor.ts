/** A JSON Schema 2020-12 document: an object (or the trivial schemas `true` and `false`). */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** How the person at the node is asked before the capability runs. */
export interface Mediation {
  readonly mode: 'none' | 'local';
  readonly remember?: Remember;
}

/** Lets the person at the node allow one value of the input for a while, in place of each call. */
export interface Remember {
  /** JSON pointer of the value in the input. */
  readonly pointer: string;
  /** What of it counts: all of it, or its web origin (scheme, host and port). */
  readonly by: 'origin' | 'value';
  /** For how long at most: a duration such as `8h`. Default: `1h`. */
  readonly for?: string;
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
