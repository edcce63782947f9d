import type { Decision } from '../actors/mediation/mediations.js';
import type { Allowance } from '../actors/mediation/permission.js';
import type { MediationRequest } from '../actors/mediation/question.js';
import type { ErrorEnvelope } from '../kernel/errors.js';

/** What a node host tells the person or program that started it. Times are milliseconds. */
export type NodeReport =
  | {
      readonly event: 'plugins';
      readonly capabilities: readonly string[];
      readonly quarantined: readonly PluginProblem[];
    }
  | { readonly event: 'plugin_disabled'; readonly plugin: string; readonly error: ErrorEnvelope }
  | { readonly event: 'proving'; readonly deviceId: string; readonly address: string }
  | {
      readonly event: 'pending_approval';
      readonly deviceId: string;
      readonly pairingId: string;
      readonly fingerprintWords: readonly string[];
    }
  | { readonly event: 'paired'; readonly deviceId: string; readonly name: string }
  | { readonly event: 'connecting'; readonly address: string; readonly attempt: number }
  | {
      readonly event: 'connected';
      readonly name: string;
      readonly epoch: number;
      readonly capabilities: readonly { readonly capability: string; readonly status: string }[];
    }
  | {
      readonly event: 'surface';
      readonly capabilities: readonly { readonly capability: string; readonly status: string }[];
    }
  | { readonly event: 'reload_refused'; readonly error: ErrorEnvelope }
  | { readonly event: 'disconnected'; readonly retryInMs: number; readonly error?: ErrorEnvelope }
  | { readonly event: 'renewing'; readonly reason: string }
  | { readonly event: 'renewed'; readonly certificateEndsAt: string }
  | { readonly event: 'certificate_ended'; readonly error?: ErrorEnvelope }
  | { readonly event: 'returning' }
  | { readonly event: 'hand_over_failed'; readonly error?: ErrorEnvelope }
  | { readonly event: 'certificate_waits'; readonly error?: ErrorEnvelope }
  | { readonly event: 'refused'; readonly retryInMs: number; readonly error: ErrorEnvelope }
  | {
      readonly event: 'retrying';
      readonly what: string;
      readonly retryInMs: number;
      readonly error: ErrorEnvelope;
    }
  | ({ readonly event: 'mediation' } & MediationRequest)
  | { readonly event: 'mediation_withdrawn'; readonly dispatchId: string }
  | { readonly event: 'answer_refused'; readonly message: string }
  | {
      readonly event: 'decided';
      readonly dispatchId: string;
      readonly capability: string;
      readonly caller: string;
      readonly decision: Decision['kind'];
      /** Why nobody could be asked. */
      readonly reason?: string;
      /** For `allowed`: by whose word. */
      readonly by?: Allowance['by'];
      /** What the same is allowed for without a question, and until when. */
      readonly remembered?: { readonly value: string; readonly until: string };
    }
  | {
      readonly event: 'ran';
      readonly dispatchId: string;
      readonly capability: string;
      readonly outcome: string;
      readonly durationMs: number;
      /** Why it did not succeed. */
      readonly error?: ErrorEnvelope;
    }
  | { readonly event: 'stopped'; readonly reason: string };

export interface PluginProblem {
  readonly plugin: string;
  readonly file: string;
  /** JSON pointer in the file; '' is all of it. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

export type Reporter = (report: NodeReport) => void;
