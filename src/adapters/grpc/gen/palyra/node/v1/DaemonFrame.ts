// Original file: proto/palyra/node/v1/node.proto

import type { Welcome as _palyra_node_v1_Welcome, Welcome__Output as _palyra_node_v1_Welcome__Output } from '../../../palyra/node/v1/Welcome.js';
import type { Dispatch as _palyra_node_v1_Dispatch, Dispatch__Output as _palyra_node_v1_Dispatch__Output } from '../../../palyra/node/v1/Dispatch.js';
import type { Cancel as _palyra_node_v1_Cancel, Cancel__Output as _palyra_node_v1_Cancel__Output } from '../../../palyra/node/v1/Cancel.js';
import type { RenewOrder as _palyra_node_v1_RenewOrder, RenewOrder__Output as _palyra_node_v1_RenewOrder__Output } from '../../../palyra/node/v1/RenewOrder.js';
import type { DaemonGoodbye as _palyra_node_v1_DaemonGoodbye, DaemonGoodbye__Output as _palyra_node_v1_DaemonGoodbye__Output } from '../../../palyra/node/v1/DaemonGoodbye.js';
import type { Surface as _palyra_node_v1_Surface, Surface__Output as _palyra_node_v1_Surface__Output } from '../../../palyra/node/v1/Surface.js';
import type { Long } from '@grpc/proto-loader';

export interface DaemonFrame {
  'sentAtMs'?: (number | string | Long);
  'welcome'?: (_palyra_node_v1_Welcome | null);
  'dispatches'?: (_palyra_node_v1_Dispatch)[];
  'cancels'?: (_palyra_node_v1_Cancel)[];
  'settled'?: (string)[];
  'renew'?: (_palyra_node_v1_RenewOrder | null);
  'goodbye'?: (_palyra_node_v1_DaemonGoodbye | null);
  'heartbeatAck'?: (boolean);
  'surface'?: (_palyra_node_v1_Surface | null);
  'ping'?: (number);
}

export interface DaemonFrame__Output {
  'sentAtMs': (number);
  'welcome': (_palyra_node_v1_Welcome__Output | null);
  'dispatches': (_palyra_node_v1_Dispatch__Output)[];
  'cancels': (_palyra_node_v1_Cancel__Output)[];
  'settled': (string)[];
  'renew': (_palyra_node_v1_RenewOrder__Output | null);
  'goodbye': (_palyra_node_v1_DaemonGoodbye__Output | null);
  'heartbeatAck': (boolean);
  'surface': (_palyra_node_v1_Surface__Output | null);
  'ping': (number);
}
