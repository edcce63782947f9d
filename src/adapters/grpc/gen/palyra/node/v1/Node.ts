// Original file: proto/palyra/node/v1/node.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ChallengeReply as _palyra_node_v1_ChallengeReply, ChallengeReply__Output as _palyra_node_v1_ChallengeReply__Output } from '../../../palyra/node/v1/ChallengeReply.js';
import type { ChallengeRequest as _palyra_node_v1_ChallengeRequest, ChallengeRequest__Output as _palyra_node_v1_ChallengeRequest__Output } from '../../../palyra/node/v1/ChallengeRequest.js';
import type { DaemonFrame as _palyra_node_v1_DaemonFrame, DaemonFrame__Output as _palyra_node_v1_DaemonFrame__Output } from '../../../palyra/node/v1/DaemonFrame.js';
import type { LeaveReply as _palyra_node_v1_LeaveReply, LeaveReply__Output as _palyra_node_v1_LeaveReply__Output } from '../../../palyra/node/v1/LeaveReply.js';
import type { LeaveRequest as _palyra_node_v1_LeaveRequest, LeaveRequest__Output as _palyra_node_v1_LeaveRequest__Output } from '../../../palyra/node/v1/LeaveRequest.js';
import type { NodeFrame as _palyra_node_v1_NodeFrame, NodeFrame__Output as _palyra_node_v1_NodeFrame__Output } from '../../../palyra/node/v1/NodeFrame.js';
import type { RegisterNodeReply as _palyra_node_v1_RegisterNodeReply, RegisterNodeReply__Output as _palyra_node_v1_RegisterNodeReply__Output } from '../../../palyra/node/v1/RegisterNodeReply.js';
import type { RegisterNodeRequest as _palyra_node_v1_RegisterNodeRequest, RegisterNodeRequest__Output as _palyra_node_v1_RegisterNodeRequest__Output } from '../../../palyra/node/v1/RegisterNodeRequest.js';
import type { RenewCertificateReply as _palyra_node_v1_RenewCertificateReply, RenewCertificateReply__Output as _palyra_node_v1_RenewCertificateReply__Output } from '../../../palyra/node/v1/RenewCertificateReply.js';
import type { RenewCertificateRequest as _palyra_node_v1_RenewCertificateRequest, RenewCertificateRequest__Output as _palyra_node_v1_RenewCertificateRequest__Output } from '../../../palyra/node/v1/RenewCertificateRequest.js';

export interface NodeClient extends grpc.Client {
  Challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  
  Events(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_palyra_node_v1_NodeFrame, _palyra_node_v1_DaemonFrame__Output>;
  Events(options?: grpc.CallOptions): grpc.ClientDuplexStream<_palyra_node_v1_NodeFrame, _palyra_node_v1_DaemonFrame__Output>;
  events(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_palyra_node_v1_NodeFrame, _palyra_node_v1_DaemonFrame__Output>;
  events(options?: grpc.CallOptions): grpc.ClientDuplexStream<_palyra_node_v1_NodeFrame, _palyra_node_v1_DaemonFrame__Output>;
  
  Leave(argument: _palyra_node_v1_LeaveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  Leave(argument: _palyra_node_v1_LeaveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  Leave(argument: _palyra_node_v1_LeaveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  Leave(argument: _palyra_node_v1_LeaveRequest, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  leave(argument: _palyra_node_v1_LeaveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  leave(argument: _palyra_node_v1_LeaveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  leave(argument: _palyra_node_v1_LeaveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  leave(argument: _palyra_node_v1_LeaveRequest, callback: grpc.requestCallback<_palyra_node_v1_LeaveReply__Output>): grpc.ClientUnaryCall;
  
  RegisterNode(argument: _palyra_node_v1_RegisterNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  RegisterNode(argument: _palyra_node_v1_RegisterNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  RegisterNode(argument: _palyra_node_v1_RegisterNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  RegisterNode(argument: _palyra_node_v1_RegisterNodeRequest, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  registerNode(argument: _palyra_node_v1_RegisterNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  registerNode(argument: _palyra_node_v1_RegisterNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  registerNode(argument: _palyra_node_v1_RegisterNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  registerNode(argument: _palyra_node_v1_RegisterNodeRequest, callback: grpc.requestCallback<_palyra_node_v1_RegisterNodeReply__Output>): grpc.ClientUnaryCall;
  
  RenewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _palyra_node_v1_RenewCertificateRequest, callback: grpc.requestCallback<_palyra_node_v1_RenewCertificateReply__Output>): grpc.ClientUnaryCall;
  
}

export interface NodeHandlers extends grpc.UntypedServiceImplementation {
  Challenge: grpc.handleUnaryCall<_palyra_node_v1_ChallengeRequest__Output, _palyra_node_v1_ChallengeReply>;
  
  Events: grpc.handleBidiStreamingCall<_palyra_node_v1_NodeFrame__Output, _palyra_node_v1_DaemonFrame>;
  
  Leave: grpc.handleUnaryCall<_palyra_node_v1_LeaveRequest__Output, _palyra_node_v1_LeaveReply>;
  
  RegisterNode: grpc.handleUnaryCall<_palyra_node_v1_RegisterNodeRequest__Output, _palyra_node_v1_RegisterNodeReply>;
  
  RenewCertificate: grpc.handleUnaryCall<_palyra_node_v1_RenewCertificateRequest__Output, _palyra_node_v1_RenewCertificateReply>;
  
}

export interface NodeDefinition extends grpc.ServiceDefinition {
  Challenge: MethodDefinition<_palyra_node_v1_ChallengeRequest, _palyra_node_v1_ChallengeReply, _palyra_node_v1_ChallengeRequest__Output, _palyra_node_v1_ChallengeReply__Output>
  Events: MethodDefinition<_palyra_node_v1_NodeFrame, _palyra_node_v1_DaemonFrame, _palyra_node_v1_NodeFrame__Output, _palyra_node_v1_DaemonFrame__Output>
  Leave: MethodDefinition<_palyra_node_v1_LeaveRequest, _palyra_node_v1_LeaveReply, _palyra_node_v1_LeaveRequest__Output, _palyra_node_v1_LeaveReply__Output>
  RegisterNode: MethodDefinition<_palyra_node_v1_RegisterNodeRequest, _palyra_node_v1_RegisterNodeReply, _palyra_node_v1_RegisterNodeRequest__Output, _palyra_node_v1_RegisterNodeReply__Output>
  RenewCertificate: MethodDefinition<_palyra_node_v1_RenewCertificateRequest, _palyra_node_v1_RenewCertificateReply, _palyra_node_v1_RenewCertificateRequest__Output, _palyra_node_v1_RenewCertificateReply__Output>
}
