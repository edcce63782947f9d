// Original file: proto/palyra/node/v1/enrollment.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AwaitDecisionRequest as _palyra_node_v1_AwaitDecisionRequest, AwaitDecisionRequest__Output as _palyra_node_v1_AwaitDecisionRequest__Output } from '../../../palyra/node/v1/AwaitDecisionRequest.js';
import type { BeginReply as _palyra_node_v1_BeginReply, BeginReply__Output as _palyra_node_v1_BeginReply__Output } from '../../../palyra/node/v1/BeginReply.js';
import type { BeginRequest as _palyra_node_v1_BeginRequest, BeginRequest__Output as _palyra_node_v1_BeginRequest__Output } from '../../../palyra/node/v1/BeginRequest.js';
import type { ChallengeReply as _palyra_node_v1_ChallengeReply, ChallengeReply__Output as _palyra_node_v1_ChallengeReply__Output } from '../../../palyra/node/v1/ChallengeReply.js';
import type { ChallengeRequest as _palyra_node_v1_ChallengeRequest, ChallengeRequest__Output as _palyra_node_v1_ChallengeRequest__Output } from '../../../palyra/node/v1/ChallengeRequest.js';
import type { ConfirmReply as _palyra_node_v1_ConfirmReply, ConfirmReply__Output as _palyra_node_v1_ConfirmReply__Output } from '../../../palyra/node/v1/ConfirmReply.js';
import type { ConfirmRequest as _palyra_node_v1_ConfirmRequest, ConfirmRequest__Output as _palyra_node_v1_ConfirmRequest__Output } from '../../../palyra/node/v1/ConfirmRequest.js';
import type { DecisionEvent as _palyra_node_v1_DecisionEvent, DecisionEvent__Output as _palyra_node_v1_DecisionEvent__Output } from '../../../palyra/node/v1/DecisionEvent.js';
import type { ProveReply as _palyra_node_v1_ProveReply, ProveReply__Output as _palyra_node_v1_ProveReply__Output } from '../../../palyra/node/v1/ProveReply.js';
import type { ProveRequest as _palyra_node_v1_ProveRequest, ProveRequest__Output as _palyra_node_v1_ProveRequest__Output } from '../../../palyra/node/v1/ProveRequest.js';
import type { ReturnRequest as _palyra_node_v1_ReturnRequest, ReturnRequest__Output as _palyra_node_v1_ReturnRequest__Output } from '../../../palyra/node/v1/ReturnRequest.js';

export interface EnrollmentClient extends grpc.Client {
  AwaitDecision(argument: _palyra_node_v1_AwaitDecisionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  AwaitDecision(argument: _palyra_node_v1_AwaitDecisionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  awaitDecision(argument: _palyra_node_v1_AwaitDecisionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  awaitDecision(argument: _palyra_node_v1_AwaitDecisionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  
  Begin(argument: _palyra_node_v1_BeginRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  Begin(argument: _palyra_node_v1_BeginRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  Begin(argument: _palyra_node_v1_BeginRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  Begin(argument: _palyra_node_v1_BeginRequest, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  begin(argument: _palyra_node_v1_BeginRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  begin(argument: _palyra_node_v1_BeginRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  begin(argument: _palyra_node_v1_BeginRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  begin(argument: _palyra_node_v1_BeginRequest, callback: grpc.requestCallback<_palyra_node_v1_BeginReply__Output>): grpc.ClientUnaryCall;
  
  Challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  Challenge(argument: _palyra_node_v1_ChallengeRequest, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  challenge(argument: _palyra_node_v1_ChallengeRequest, callback: grpc.requestCallback<_palyra_node_v1_ChallengeReply__Output>): grpc.ClientUnaryCall;
  
  Confirm(argument: _palyra_node_v1_ConfirmRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _palyra_node_v1_ConfirmRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _palyra_node_v1_ConfirmRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _palyra_node_v1_ConfirmRequest, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  confirm(argument: _palyra_node_v1_ConfirmRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  confirm(argument: _palyra_node_v1_ConfirmRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  confirm(argument: _palyra_node_v1_ConfirmRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  confirm(argument: _palyra_node_v1_ConfirmRequest, callback: grpc.requestCallback<_palyra_node_v1_ConfirmReply__Output>): grpc.ClientUnaryCall;
  
  Prove(argument: _palyra_node_v1_ProveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  Prove(argument: _palyra_node_v1_ProveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  Prove(argument: _palyra_node_v1_ProveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  Prove(argument: _palyra_node_v1_ProveRequest, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  prove(argument: _palyra_node_v1_ProveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  prove(argument: _palyra_node_v1_ProveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  prove(argument: _palyra_node_v1_ProveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  prove(argument: _palyra_node_v1_ProveRequest, callback: grpc.requestCallback<_palyra_node_v1_ProveReply__Output>): grpc.ClientUnaryCall;
  
  Return(argument: _palyra_node_v1_ReturnRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  Return(argument: _palyra_node_v1_ReturnRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  return(argument: _palyra_node_v1_ReturnRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  return(argument: _palyra_node_v1_ReturnRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_palyra_node_v1_DecisionEvent__Output>;
  
}

export interface EnrollmentHandlers extends grpc.UntypedServiceImplementation {
  AwaitDecision: grpc.handleServerStreamingCall<_palyra_node_v1_AwaitDecisionRequest__Output, _palyra_node_v1_DecisionEvent>;
  
  Begin: grpc.handleUnaryCall<_palyra_node_v1_BeginRequest__Output, _palyra_node_v1_BeginReply>;
  
  Challenge: grpc.handleUnaryCall<_palyra_node_v1_ChallengeRequest__Output, _palyra_node_v1_ChallengeReply>;
  
  Confirm: grpc.handleUnaryCall<_palyra_node_v1_ConfirmRequest__Output, _palyra_node_v1_ConfirmReply>;
  
  Prove: grpc.handleUnaryCall<_palyra_node_v1_ProveRequest__Output, _palyra_node_v1_ProveReply>;
  
  Return: grpc.handleServerStreamingCall<_palyra_node_v1_ReturnRequest__Output, _palyra_node_v1_DecisionEvent>;
  
}

export interface EnrollmentDefinition extends grpc.ServiceDefinition {
  AwaitDecision: MethodDefinition<_palyra_node_v1_AwaitDecisionRequest, _palyra_node_v1_DecisionEvent, _palyra_node_v1_AwaitDecisionRequest__Output, _palyra_node_v1_DecisionEvent__Output>
  Begin: MethodDefinition<_palyra_node_v1_BeginRequest, _palyra_node_v1_BeginReply, _palyra_node_v1_BeginRequest__Output, _palyra_node_v1_BeginReply__Output>
  Challenge: MethodDefinition<_palyra_node_v1_ChallengeRequest, _palyra_node_v1_ChallengeReply, _palyra_node_v1_ChallengeRequest__Output, _palyra_node_v1_ChallengeReply__Output>
  Confirm: MethodDefinition<_palyra_node_v1_ConfirmRequest, _palyra_node_v1_ConfirmReply, _palyra_node_v1_ConfirmRequest__Output, _palyra_node_v1_ConfirmReply__Output>
  Prove: MethodDefinition<_palyra_node_v1_ProveRequest, _palyra_node_v1_ProveReply, _palyra_node_v1_ProveRequest__Output, _palyra_node_v1_ProveReply__Output>
  Return: MethodDefinition<_palyra_node_v1_ReturnRequest, _palyra_node_v1_DecisionEvent, _palyra_node_v1_ReturnRequest__Output, _palyra_node_v1_DecisionEvent__Output>
}
