// Original file: proto/palyra/node/v1/node.proto

import type { Hello as _palyra_node_v1_Hello, Hello__Output as _palyra_node_v1_Hello__Output } from '../../../palyra/node/v1/Hello.js';
import type { Ready as _palyra_node_v1_Ready, Ready__Output as _palyra_node_v1_Ready__Output } from '../../../palyra/node/v1/Ready.js';
import type { Heartbeat as _palyra_node_v1_Heartbeat, Heartbeat__Output as _palyra_node_v1_Heartbeat__Output } from '../../../palyra/node/v1/Heartbeat.js';
import type { DispatchStarted as _palyra_node_v1_DispatchStarted, DispatchStarted__Output as _palyra_node_v1_DispatchStarted__Output } from '../../../palyra/node/v1/DispatchStarted.js';
import type { DispatchMediation as _palyra_node_v1_DispatchMediation, DispatchMediation__Output as _palyra_node_v1_DispatchMediation__Output } from '../../../palyra/node/v1/DispatchMediation.js';
import type { DispatchProgress as _palyra_node_v1_DispatchProgress, DispatchProgress__Output as _palyra_node_v1_DispatchProgress__Output } from '../../../palyra/node/v1/DispatchProgress.js';
import type { DispatchResult as _palyra_node_v1_DispatchResult, DispatchResult__Output as _palyra_node_v1_DispatchResult__Output } from '../../../palyra/node/v1/DispatchResult.js';
import type { CancelOutcome as _palyra_node_v1_CancelOutcome, CancelOutcome__Output as _palyra_node_v1_CancelOutcome__Output } from '../../../palyra/node/v1/CancelOutcome.js';
import type { Goodbye as _palyra_node_v1_Goodbye, Goodbye__Output as _palyra_node_v1_Goodbye__Output } from '../../../palyra/node/v1/Goodbye.js';
import type { Long } from '@grpc/proto-loader';

export interface NodeFrame {
  'sentAtMs'?: (number | string | Long);
  'hello'?: (_palyra_node_v1_Hello | null);
  'ready'?: (_palyra_node_v1_Ready | null);
  'heartbeat'?: (_palyra_node_v1_Heartbeat | null);
  'started'?: (_palyra_node_v1_DispatchStarted)[];
  'mediation'?: (_palyra_node_v1_DispatchMediation)[];
  'progress'?: (_palyra_node_v1_DispatchProgress)[];
  'results'?: (_palyra_node_v1_DispatchResult)[];
  'cancelOutcomes'?: (_palyra_node_v1_CancelOutcome)[];
  'goodbye'?: (_palyra_node_v1_Goodbye | null);
  'pong'?: (number);
}

export interface NodeFrame__Output {
  'sentAtMs': (number);
  'hello': (_palyra_node_v1_Hello__Output | null);
  'ready': (_palyra_node_v1_Ready__Output | null);
  'heartbeat': (_palyra_node_v1_Heartbeat__Output | null);
  'started': (_palyra_node_v1_DispatchStarted__Output)[];
  'mediation': (_palyra_node_v1_DispatchMediation__Output)[];
  'progress': (_palyra_node_v1_DispatchProgress__Output)[];
  'results': (_palyra_node_v1_DispatchResult__Output)[];
  'cancelOutcomes': (_palyra_node_v1_CancelOutcome__Output)[];
  'goodbye': (_palyra_node_v1_Goodbye__Output | null);
  'pong': (number);
}
