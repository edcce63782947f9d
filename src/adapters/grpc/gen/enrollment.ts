import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AwaitDecisionRequest as _palyra_node_v1_AwaitDecisionRequest, AwaitDecisionRequest__Output as _palyra_node_v1_AwaitDecisionRequest__Output } from './palyra/node/v1/AwaitDecisionRequest.js';
import type { BeginReply as _palyra_node_v1_BeginReply, BeginReply__Output as _palyra_node_v1_BeginReply__Output } from './palyra/node/v1/BeginReply.js';
import type { BeginRequest as _palyra_node_v1_BeginRequest, BeginRequest__Output as _palyra_node_v1_BeginRequest__Output } from './palyra/node/v1/BeginRequest.js';
import type { ChallengeReply as _palyra_node_v1_ChallengeReply, ChallengeReply__Output as _palyra_node_v1_ChallengeReply__Output } from './palyra/node/v1/ChallengeReply.js';
import type { ChallengeRequest as _palyra_node_v1_ChallengeRequest, ChallengeRequest__Output as _palyra_node_v1_ChallengeRequest__Output } from './palyra/node/v1/ChallengeRequest.js';
import type { ConfirmReply as _palyra_node_v1_ConfirmReply, ConfirmReply__Output as _palyra_node_v1_ConfirmReply__Output } from './palyra/node/v1/ConfirmReply.js';
import type { ConfirmRequest as _palyra_node_v1_ConfirmRequest, ConfirmRequest__Output as _palyra_node_v1_ConfirmRequest__Output } from './palyra/node/v1/ConfirmRequest.js';
import type { DecisionApproved as _palyra_node_v1_DecisionApproved, DecisionApproved__Output as _palyra_node_v1_DecisionApproved__Output } from './palyra/node/v1/DecisionApproved.js';
import type { DecisionEvent as _palyra_node_v1_DecisionEvent, DecisionEvent__Output as _palyra_node_v1_DecisionEvent__Output } from './palyra/node/v1/DecisionEvent.js';
import type { DecisionExpired as _palyra_node_v1_DecisionExpired, DecisionExpired__Output as _palyra_node_v1_DecisionExpired__Output } from './palyra/node/v1/DecisionExpired.js';
import type { DecisionPending as _palyra_node_v1_DecisionPending, DecisionPending__Output as _palyra_node_v1_DecisionPending__Output } from './palyra/node/v1/DecisionPending.js';
import type { DecisionRejected as _palyra_node_v1_DecisionRejected, DecisionRejected__Output as _palyra_node_v1_DecisionRejected__Output } from './palyra/node/v1/DecisionRejected.js';
import type { DescriptorAnnouncement as _palyra_node_v1_DescriptorAnnouncement, DescriptorAnnouncement__Output as _palyra_node_v1_DescriptorAnnouncement__Output } from './palyra/node/v1/DescriptorAnnouncement.js';
import type { EnrollmentClient as _palyra_node_v1_EnrollmentClient, EnrollmentDefinition as _palyra_node_v1_EnrollmentDefinition } from './palyra/node/v1/Enrollment.js';
import type { HostFacts as _palyra_node_v1_HostFacts, HostFacts__Output as _palyra_node_v1_HostFacts__Output } from './palyra/node/v1/HostFacts.js';
import type { JoinMethod as _palyra_node_v1_JoinMethod, JoinMethod__Output as _palyra_node_v1_JoinMethod__Output } from './palyra/node/v1/JoinMethod.js';
import type { PinMethod as _palyra_node_v1_PinMethod, PinMethod__Output as _palyra_node_v1_PinMethod__Output } from './palyra/node/v1/PinMethod.js';
import type { PinReply as _palyra_node_v1_PinReply, PinReply__Output as _palyra_node_v1_PinReply__Output } from './palyra/node/v1/PinReply.js';
import type { PluginAnnouncement as _palyra_node_v1_PluginAnnouncement, PluginAnnouncement__Output as _palyra_node_v1_PluginAnnouncement__Output } from './palyra/node/v1/PluginAnnouncement.js';
import type { PluginStanding as _palyra_node_v1_PluginStanding, PluginStanding__Output as _palyra_node_v1_PluginStanding__Output } from './palyra/node/v1/PluginStanding.js';
import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from './palyra/node/v1/ProtocolVersion.js';
import type { ProveReply as _palyra_node_v1_ProveReply, ProveReply__Output as _palyra_node_v1_ProveReply__Output } from './palyra/node/v1/ProveReply.js';
import type { ProveRequest as _palyra_node_v1_ProveRequest, ProveRequest__Output as _palyra_node_v1_ProveRequest__Output } from './palyra/node/v1/ProveRequest.js';
import type { ReturnRequest as _palyra_node_v1_ReturnRequest, ReturnRequest__Output as _palyra_node_v1_ReturnRequest__Output } from './palyra/node/v1/ReturnRequest.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  palyra: {
    node: {
      v1: {
        AwaitDecisionRequest: MessageTypeDefinition<_palyra_node_v1_AwaitDecisionRequest, _palyra_node_v1_AwaitDecisionRequest__Output>
        BeginReply: MessageTypeDefinition<_palyra_node_v1_BeginReply, _palyra_node_v1_BeginReply__Output>
        BeginRequest: MessageTypeDefinition<_palyra_node_v1_BeginRequest, _palyra_node_v1_BeginRequest__Output>
        ChallengeReply: MessageTypeDefinition<_palyra_node_v1_ChallengeReply, _palyra_node_v1_ChallengeReply__Output>
        ChallengeRequest: MessageTypeDefinition<_palyra_node_v1_ChallengeRequest, _palyra_node_v1_ChallengeRequest__Output>
        ConfirmReply: MessageTypeDefinition<_palyra_node_v1_ConfirmReply, _palyra_node_v1_ConfirmReply__Output>
        ConfirmRequest: MessageTypeDefinition<_palyra_node_v1_ConfirmRequest, _palyra_node_v1_ConfirmRequest__Output>
        DecisionApproved: MessageTypeDefinition<_palyra_node_v1_DecisionApproved, _palyra_node_v1_DecisionApproved__Output>
        DecisionEvent: MessageTypeDefinition<_palyra_node_v1_DecisionEvent, _palyra_node_v1_DecisionEvent__Output>
        DecisionExpired: MessageTypeDefinition<_palyra_node_v1_DecisionExpired, _palyra_node_v1_DecisionExpired__Output>
        DecisionPending: MessageTypeDefinition<_palyra_node_v1_DecisionPending, _palyra_node_v1_DecisionPending__Output>
        DecisionRejected: MessageTypeDefinition<_palyra_node_v1_DecisionRejected, _palyra_node_v1_DecisionRejected__Output>
        DescriptorAnnouncement: MessageTypeDefinition<_palyra_node_v1_DescriptorAnnouncement, _palyra_node_v1_DescriptorAnnouncement__Output>
        Enrollment: SubtypeConstructor<typeof grpc.Client, _palyra_node_v1_EnrollmentClient> & { service: _palyra_node_v1_EnrollmentDefinition }
        HostFacts: MessageTypeDefinition<_palyra_node_v1_HostFacts, _palyra_node_v1_HostFacts__Output>
        JoinMethod: MessageTypeDefinition<_palyra_node_v1_JoinMethod, _palyra_node_v1_JoinMethod__Output>
        PinMethod: MessageTypeDefinition<_palyra_node_v1_PinMethod, _palyra_node_v1_PinMethod__Output>
        PinReply: MessageTypeDefinition<_palyra_node_v1_PinReply, _palyra_node_v1_PinReply__Output>
        PluginAnnouncement: MessageTypeDefinition<_palyra_node_v1_PluginAnnouncement, _palyra_node_v1_PluginAnnouncement__Output>
        PluginStanding: MessageTypeDefinition<_palyra_node_v1_PluginStanding, _palyra_node_v1_PluginStanding__Output>
        ProtocolVersion: MessageTypeDefinition<_palyra_node_v1_ProtocolVersion, _palyra_node_v1_ProtocolVersion__Output>
        ProveReply: MessageTypeDefinition<_palyra_node_v1_ProveReply, _palyra_node_v1_ProveReply__Output>
        ProveRequest: MessageTypeDefinition<_palyra_node_v1_ProveRequest, _palyra_node_v1_ProveRequest__Output>
        ReturnRequest: MessageTypeDefinition<_palyra_node_v1_ReturnRequest, _palyra_node_v1_ReturnRequest__Output>
      }
    }
  }
}

