import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Allowance as _palyra_node_v1_Allowance, Allowance__Output as _palyra_node_v1_Allowance__Output } from './palyra/node/v1/Allowance.js';
import type { Cancel as _palyra_node_v1_Cancel, Cancel__Output as _palyra_node_v1_Cancel__Output } from './palyra/node/v1/Cancel.js';
import type { CancelOutcome as _palyra_node_v1_CancelOutcome, CancelOutcome__Output as _palyra_node_v1_CancelOutcome__Output } from './palyra/node/v1/CancelOutcome.js';
import type { ChallengeReply as _palyra_node_v1_ChallengeReply, ChallengeReply__Output as _palyra_node_v1_ChallengeReply__Output } from './palyra/node/v1/ChallengeReply.js';
import type { ChallengeRequest as _palyra_node_v1_ChallengeRequest, ChallengeRequest__Output as _palyra_node_v1_ChallengeRequest__Output } from './palyra/node/v1/ChallengeRequest.js';
import type { DaemonFrame as _palyra_node_v1_DaemonFrame, DaemonFrame__Output as _palyra_node_v1_DaemonFrame__Output } from './palyra/node/v1/DaemonFrame.js';
import type { DaemonGoodbye as _palyra_node_v1_DaemonGoodbye, DaemonGoodbye__Output as _palyra_node_v1_DaemonGoodbye__Output } from './palyra/node/v1/DaemonGoodbye.js';
import type { DescriptorAnnouncement as _palyra_node_v1_DescriptorAnnouncement, DescriptorAnnouncement__Output as _palyra_node_v1_DescriptorAnnouncement__Output } from './palyra/node/v1/DescriptorAnnouncement.js';
import type { Dispatch as _palyra_node_v1_Dispatch, Dispatch__Output as _palyra_node_v1_Dispatch__Output } from './palyra/node/v1/Dispatch.js';
import type { DispatchError as _palyra_node_v1_DispatchError, DispatchError__Output as _palyra_node_v1_DispatchError__Output } from './palyra/node/v1/DispatchError.js';
import type { DispatchMediation as _palyra_node_v1_DispatchMediation, DispatchMediation__Output as _palyra_node_v1_DispatchMediation__Output } from './palyra/node/v1/DispatchMediation.js';
import type { DispatchProgress as _palyra_node_v1_DispatchProgress, DispatchProgress__Output as _palyra_node_v1_DispatchProgress__Output } from './palyra/node/v1/DispatchProgress.js';
import type { DispatchResult as _palyra_node_v1_DispatchResult, DispatchResult__Output as _palyra_node_v1_DispatchResult__Output } from './palyra/node/v1/DispatchResult.js';
import type { DispatchStarted as _palyra_node_v1_DispatchStarted, DispatchStarted__Output as _palyra_node_v1_DispatchStarted__Output } from './palyra/node/v1/DispatchStarted.js';
import type { FieldError as _palyra_node_v1_FieldError, FieldError__Output as _palyra_node_v1_FieldError__Output } from './palyra/node/v1/FieldError.js';
import type { Goodbye as _palyra_node_v1_Goodbye, Goodbye__Output as _palyra_node_v1_Goodbye__Output } from './palyra/node/v1/Goodbye.js';
import type { Heartbeat as _palyra_node_v1_Heartbeat, Heartbeat__Output as _palyra_node_v1_Heartbeat__Output } from './palyra/node/v1/Heartbeat.js';
import type { Hello as _palyra_node_v1_Hello, Hello__Output as _palyra_node_v1_Hello__Output } from './palyra/node/v1/Hello.js';
import type { HostFacts as _palyra_node_v1_HostFacts, HostFacts__Output as _palyra_node_v1_HostFacts__Output } from './palyra/node/v1/HostFacts.js';
import type { InFlight as _palyra_node_v1_InFlight, InFlight__Output as _palyra_node_v1_InFlight__Output } from './palyra/node/v1/InFlight.js';
import type { LeaveReply as _palyra_node_v1_LeaveReply, LeaveReply__Output as _palyra_node_v1_LeaveReply__Output } from './palyra/node/v1/LeaveReply.js';
import type { LeaveRequest as _palyra_node_v1_LeaveRequest, LeaveRequest__Output as _palyra_node_v1_LeaveRequest__Output } from './palyra/node/v1/LeaveRequest.js';
import type { NodeClient as _palyra_node_v1_NodeClient, NodeDefinition as _palyra_node_v1_NodeDefinition } from './palyra/node/v1/Node.js';
import type { NodeFrame as _palyra_node_v1_NodeFrame, NodeFrame__Output as _palyra_node_v1_NodeFrame__Output } from './palyra/node/v1/NodeFrame.js';
import type { PluginAnnouncement as _palyra_node_v1_PluginAnnouncement, PluginAnnouncement__Output as _palyra_node_v1_PluginAnnouncement__Output } from './palyra/node/v1/PluginAnnouncement.js';
import type { PluginSettings as _palyra_node_v1_PluginSettings, PluginSettings__Output as _palyra_node_v1_PluginSettings__Output } from './palyra/node/v1/PluginSettings.js';
import type { PluginStanding as _palyra_node_v1_PluginStanding, PluginStanding__Output as _palyra_node_v1_PluginStanding__Output } from './palyra/node/v1/PluginStanding.js';
import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from './palyra/node/v1/ProtocolVersion.js';
import type { Ready as _palyra_node_v1_Ready, Ready__Output as _palyra_node_v1_Ready__Output } from './palyra/node/v1/Ready.js';
import type { RegisterNodeReply as _palyra_node_v1_RegisterNodeReply, RegisterNodeReply__Output as _palyra_node_v1_RegisterNodeReply__Output } from './palyra/node/v1/RegisterNodeReply.js';
import type { RegisterNodeRequest as _palyra_node_v1_RegisterNodeRequest, RegisterNodeRequest__Output as _palyra_node_v1_RegisterNodeRequest__Output } from './palyra/node/v1/RegisterNodeRequest.js';
import type { RenewCertificateReply as _palyra_node_v1_RenewCertificateReply, RenewCertificateReply__Output as _palyra_node_v1_RenewCertificateReply__Output } from './palyra/node/v1/RenewCertificateReply.js';
import type { RenewCertificateRequest as _palyra_node_v1_RenewCertificateRequest, RenewCertificateRequest__Output as _palyra_node_v1_RenewCertificateRequest__Output } from './palyra/node/v1/RenewCertificateRequest.js';
import type { RenewOrder as _palyra_node_v1_RenewOrder, RenewOrder__Output as _palyra_node_v1_RenewOrder__Output } from './palyra/node/v1/RenewOrder.js';
import type { Surface as _palyra_node_v1_Surface, Surface__Output as _palyra_node_v1_Surface__Output } from './palyra/node/v1/Surface.js';
import type { SurfaceVerdict as _palyra_node_v1_SurfaceVerdict, SurfaceVerdict__Output as _palyra_node_v1_SurfaceVerdict__Output } from './palyra/node/v1/SurfaceVerdict.js';
import type { Welcome as _palyra_node_v1_Welcome, Welcome__Output as _palyra_node_v1_Welcome__Output } from './palyra/node/v1/Welcome.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  palyra: {
    node: {
      v1: {
        Allowance: MessageTypeDefinition<_palyra_node_v1_Allowance, _palyra_node_v1_Allowance__Output>
        Cancel: MessageTypeDefinition<_palyra_node_v1_Cancel, _palyra_node_v1_Cancel__Output>
        CancelOutcome: MessageTypeDefinition<_palyra_node_v1_CancelOutcome, _palyra_node_v1_CancelOutcome__Output>
        ChallengeReply: MessageTypeDefinition<_palyra_node_v1_ChallengeReply, _palyra_node_v1_ChallengeReply__Output>
        ChallengeRequest: MessageTypeDefinition<_palyra_node_v1_ChallengeRequest, _palyra_node_v1_ChallengeRequest__Output>
        DaemonFrame: MessageTypeDefinition<_palyra_node_v1_DaemonFrame, _palyra_node_v1_DaemonFrame__Output>
        DaemonGoodbye: MessageTypeDefinition<_palyra_node_v1_DaemonGoodbye, _palyra_node_v1_DaemonGoodbye__Output>
        DescriptorAnnouncement: MessageTypeDefinition<_palyra_node_v1_DescriptorAnnouncement, _palyra_node_v1_DescriptorAnnouncement__Output>
        Dispatch: MessageTypeDefinition<_palyra_node_v1_Dispatch, _palyra_node_v1_Dispatch__Output>
        DispatchError: MessageTypeDefinition<_palyra_node_v1_DispatchError, _palyra_node_v1_DispatchError__Output>
        DispatchMediation: MessageTypeDefinition<_palyra_node_v1_DispatchMediation, _palyra_node_v1_DispatchMediation__Output>
        DispatchProgress: MessageTypeDefinition<_palyra_node_v1_DispatchProgress, _palyra_node_v1_DispatchProgress__Output>
        DispatchResult: MessageTypeDefinition<_palyra_node_v1_DispatchResult, _palyra_node_v1_DispatchResult__Output>
        DispatchStarted: MessageTypeDefinition<_palyra_node_v1_DispatchStarted, _palyra_node_v1_DispatchStarted__Output>
        FieldError: MessageTypeDefinition<_palyra_node_v1_FieldError, _palyra_node_v1_FieldError__Output>
        Goodbye: MessageTypeDefinition<_palyra_node_v1_Goodbye, _palyra_node_v1_Goodbye__Output>
        Heartbeat: MessageTypeDefinition<_palyra_node_v1_Heartbeat, _palyra_node_v1_Heartbeat__Output>
        Hello: MessageTypeDefinition<_palyra_node_v1_Hello, _palyra_node_v1_Hello__Output>
        HostFacts: MessageTypeDefinition<_palyra_node_v1_HostFacts, _palyra_node_v1_HostFacts__Output>
        InFlight: MessageTypeDefinition<_palyra_node_v1_InFlight, _palyra_node_v1_InFlight__Output>
        LeaveReply: MessageTypeDefinition<_palyra_node_v1_LeaveReply, _palyra_node_v1_LeaveReply__Output>
        LeaveRequest: MessageTypeDefinition<_palyra_node_v1_LeaveRequest, _palyra_node_v1_LeaveRequest__Output>
        Node: SubtypeConstructor<typeof grpc.Client, _palyra_node_v1_NodeClient> & { service: _palyra_node_v1_NodeDefinition }
        NodeFrame: MessageTypeDefinition<_palyra_node_v1_NodeFrame, _palyra_node_v1_NodeFrame__Output>
        PluginAnnouncement: MessageTypeDefinition<_palyra_node_v1_PluginAnnouncement, _palyra_node_v1_PluginAnnouncement__Output>
        PluginSettings: MessageTypeDefinition<_palyra_node_v1_PluginSettings, _palyra_node_v1_PluginSettings__Output>
        PluginStanding: MessageTypeDefinition<_palyra_node_v1_PluginStanding, _palyra_node_v1_PluginStanding__Output>
        ProtocolVersion: MessageTypeDefinition<_palyra_node_v1_ProtocolVersion, _palyra_node_v1_ProtocolVersion__Output>
        Ready: MessageTypeDefinition<_palyra_node_v1_Ready, _palyra_node_v1_Ready__Output>
        RegisterNodeReply: MessageTypeDefinition<_palyra_node_v1_RegisterNodeReply, _palyra_node_v1_RegisterNodeReply__Output>
        RegisterNodeRequest: MessageTypeDefinition<_palyra_node_v1_RegisterNodeRequest, _palyra_node_v1_RegisterNodeRequest__Output>
        RenewCertificateReply: MessageTypeDefinition<_palyra_node_v1_RenewCertificateReply, _palyra_node_v1_RenewCertificateReply__Output>
        RenewCertificateRequest: MessageTypeDefinition<_palyra_node_v1_RenewCertificateRequest, _palyra_node_v1_RenewCertificateRequest__Output>
        RenewOrder: MessageTypeDefinition<_palyra_node_v1_RenewOrder, _palyra_node_v1_RenewOrder__Output>
        Surface: MessageTypeDefinition<_palyra_node_v1_Surface, _palyra_node_v1_Surface__Output>
        SurfaceVerdict: MessageTypeDefinition<_palyra_node_v1_SurfaceVerdict, _palyra_node_v1_SurfaceVerdict__Output>
        Welcome: MessageTypeDefinition<_palyra_node_v1_Welcome, _palyra_node_v1_Welcome__Output>
      }
    }
  }
}

