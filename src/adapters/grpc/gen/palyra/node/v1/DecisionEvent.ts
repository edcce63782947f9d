// Original file: proto/palyra/node/v1/enrollment.proto

import type { DecisionPending as _palyra_node_v1_DecisionPending, DecisionPending__Output as _palyra_node_v1_DecisionPending__Output } from '../../../palyra/node/v1/DecisionPending.js';
import type { DecisionApproved as _palyra_node_v1_DecisionApproved, DecisionApproved__Output as _palyra_node_v1_DecisionApproved__Output } from '../../../palyra/node/v1/DecisionApproved.js';
import type { DecisionRejected as _palyra_node_v1_DecisionRejected, DecisionRejected__Output as _palyra_node_v1_DecisionRejected__Output } from '../../../palyra/node/v1/DecisionRejected.js';
import type { DecisionExpired as _palyra_node_v1_DecisionExpired, DecisionExpired__Output as _palyra_node_v1_DecisionExpired__Output } from '../../../palyra/node/v1/DecisionExpired.js';

export interface DecisionEvent {
  'pending'?: (_palyra_node_v1_DecisionPending | null);
  'approved'?: (_palyra_node_v1_DecisionApproved | null);
  'rejected'?: (_palyra_node_v1_DecisionRejected | null);
  'expired'?: (_palyra_node_v1_DecisionExpired | null);
  'pairingId'?: (string);
  'event'?: "pending"|"approved"|"rejected"|"expired";
}

export interface DecisionEvent__Output {
  'pending'?: (_palyra_node_v1_DecisionPending__Output | null);
  'approved'?: (_palyra_node_v1_DecisionApproved__Output | null);
  'rejected'?: (_palyra_node_v1_DecisionRejected__Output | null);
  'expired'?: (_palyra_node_v1_DecisionExpired__Output | null);
  'pairingId': (string);
  'event'?: "pending"|"approved"|"rejected"|"expired";
}
