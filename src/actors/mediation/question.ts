import type { RememberedValue } from '../../plugins/remembered-value.js';

/** What is to be allowed: one call of one build of a capability. */
export interface Subject {
  readonly dispatchId: string;
  readonly capability: string;
  readonly descriptorDigest: string;
  /** Its name for people, as the plugin says it. */
  readonly title: string;
  readonly plugin: string;
  readonly publisher: string;
  readonly version: string;
  /** SHA-256 of the plugin's code, lowercase hex. */
  readonly build: string;
  /** Who asks, as the daemon says it: `operator:ada`. */
  readonly caller: string;
  readonly input: unknown;
  /** What a yes may be remembered for; undefined when it counts for this call only. */
  readonly remember?: RememberedValue;
}

/** One question to the person at the node. Its texts are those of others: they are to be shown with care. */
export interface MediationRequest extends Omit<Subject, 'descriptorDigest'> {
  /** How long it may be answered from now on, milliseconds. */
  readonly timeoutMs: number;
}

/** What the person says. `nobody`: there is nobody to be asked. */
export type MediationAnswer =
  /** `rememberMs`: the same is allowed for so long, where the question says that it may be remembered, and no longer than it says. */
  | { readonly answer: 'allow'; readonly rememberMs?: number }
  | { readonly answer: 'deny' }
  | { readonly answer: 'nobody'; readonly reason: string };

/** Who asks the person at the node: a prompt at a terminal, a program, later a page. */
export interface Mediator {
  /** How many questions it can show at a time, from 1; the others wait in the order in which they came. */
  readonly atOnce: number;
  /**
   * Shows a question. `signal` aborts when nobody needs the answer any more: it is taken from the screen then, and what is
   * answered later counts for nothing. Silence is no answer; whoever asked sees to it that it ends as a no.
   */
  ask(request: MediationRequest, signal: AbortSignal, answer: (answer: MediationAnswer) => void): void;
  close(): void;
}
