import type { FieldError } from '../../kernel/errors.js';

/**
 * What host and child say to each other. It changes when either could misread the other; both come from one package, so
 * they differ only where the package was replaced under a running host.
 */
export const processProtocol = 1;

/** The most bytes of one frame's text. An output or an input is far smaller; past it the other side has gone wrong. */
export const frameLimit = 8 * 1024 * 1024;

/** What a frame is, beside its text, so that a flood can be dropped without reading it. */
export const frameKinds = { control: 0, log: 1, progress: 2 } as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** What the host says to the process of a plugin. */
export type HostFrame =
  /** The first word. The child loads the entry, if its SHA-256 (`build`) is still that, and answers. */
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly plugin: string;
      readonly entry: string;
      readonly build: string;
      readonly capabilities: readonly string[];
      /** The most bytes of an output as JSON. */
      readonly maxOutputBytes: number;
    }
  /** The settings of the runs that follow. */
  | { readonly type: 'config'; readonly value: unknown }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly capability: string;
      readonly input: unknown;
      readonly deadline: number;
    }
  | { readonly type: 'cancel'; readonly id: number; readonly reason: string }
  /** How what a handler asked of the node ended. */
  | { readonly type: 'answer'; readonly id: number; readonly request: number; readonly error?: string }
  | { readonly type: 'ping' };

/** How something failed in the child: what is needed to make an AppError of it again. */
export interface Failure {
  /** A code of `pluginError`, without its prefix. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly FieldError[];
  readonly stack?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What the process of a plugin says to the host, which believes none of it unchecked: see `child-frame.ts`. */
export type ChildFrame =
  | {
      readonly type: 'ready';
      readonly protocol: number;
      readonly plugin: string;
      readonly build: string;
      readonly capabilities: readonly string[];
    }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'done'; readonly id: number; readonly output: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure }
  | {
      readonly type: 'progress';
      readonly id: number;
      readonly sequence: number;
      readonly value: unknown;
    }
  | {
      readonly type: 'log';
      readonly id: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly fields?: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'open'; readonly id: number; readonly request: number; readonly url: string }
  | { readonly type: 'pong' }
  /** Logs and progress that the child left out because the host did not keep up. */
  | { readonly type: 'dropped'; readonly logs: number; readonly progress: number };
