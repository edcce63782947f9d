import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface FloorMessage {
  readonly id: number;
  readonly payload: Buffer;
}

interface FloorPackage {
  readonly palyra: { readonly bench: { readonly floor: { readonly Floor: ServiceClientConstructor } } };
}

/** The client class and service of `floor.proto`, which lies beside the bundled programs. */
export function loadFloor(): ServiceClientConstructor {
  const definition = loadSync(fileURLToPath(new URL('floor.proto', import.meta.url)), {
    longs: Number,
    defaults: true,
  });
  return (loadPackageDefinition(definition) as unknown as FloorPackage).palyra.bench.floor.Floor;
}
