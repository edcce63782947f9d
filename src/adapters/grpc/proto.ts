import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType as EnrollmentPackage } from './gen/enrollment.js';
import type { ProtoGrpcType as NodePackage } from './gen/node.js';

type Services = EnrollmentPackage['palyra']['node']['v1'] & NodePackage['palyra']['node']['v1'];

/** The folder of the proto files: `proto/` of the package, from the sources as from the build. */
function protoFolder(): string {
  const up = import.meta.url.includes('/dist/') ? '../../../../proto' : '../../../proto';
  return fileURLToPath(new URL(up, import.meta.url));
}

function load(): Services {
  const definition = loadSync(['palyra/node/v1/enrollment.proto', 'palyra/node/v1/node.proto'], {
    includeDirs: [protoFolder()],
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as EnrollmentPackage & NodePackage;
  return loaded.palyra.node.v1;
}

const services = load();

/** The client classes of both services. */
export const { Enrollment: EnrollmentService, Node: NodeService } = services;

type Codec = { readonly serialize: (value: object) => Buffer };

function codecOf(service: ServiceDefinition, method: string, side: 'request' | 'response'): Codec {
  const definition = service[method];
  if (!definition) throw new Error(`The proto files have no method ${method}`);
  return { serialize: side === 'request' ? definition.requestSerialize : definition.responseSerialize };
}

/** The exact bytes of a Begin exchange, for its transcript. */
export const beginRequestBytes = codecOf(EnrollmentService.service, 'Begin', 'request').serialize;
export const beginReplyBytes = codecOf(EnrollmentService.service, 'Begin', 'response').serialize;

/** A message together with the bytes in which it came. */
export interface Received {
  readonly received: Buffer;
}

/**
 * The enrolment service, whose Begin messages keep the bytes in which they came: the transcript covers those, also the
 * fields that this side does not know (protocol.md 4).
 */
export function enrollmentWithBytes(): ServiceDefinition {
  const { service } = EnrollmentService;
  const { Begin } = service;
  const keep =
    (parse: (bytes: Buffer) => object) =>
    (bytes: Buffer): object & Received => ({ ...parse(bytes), received: bytes });
  return {
    ...service,
    Begin: {
      ...Begin,
      requestDeserialize: keep(Begin.requestDeserialize),
      responseDeserialize: keep(Begin.responseDeserialize),
    },
  } as ServiceDefinition;
}
