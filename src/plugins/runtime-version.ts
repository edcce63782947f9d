import { createRequire } from 'node:module';

/** The version of this package. It is found by the package's own name, so that it works from source and from `dist`. */
export function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('palyra-node-runtime/package.json') as {
    version: string;
  };
  return version;
}
