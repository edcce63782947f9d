#!/usr/bin/env bash
# Writes the TypeScript types of the proto files. With --check it fails when they are stale.
set -euo pipefail
cd "$(dirname "$0")/.."
out=src/adapters/grpc/gen
target=$out
if [ "${1:-}" = "--check" ]; then target=$(mktemp -d); trap 'rm -rf "$target"' EXIT; fi
npx --no-install proto-loader-gen-types --grpcLib=@grpc/grpc-js --longs=Number --enums=String --defaults --oneofs \
  --targetFileExtension=.ts --importFileExtension=.js -I proto -O "$target" palyra/node/v1/enrollment.proto palyra/node/v1/node.proto
if [ "${1:-}" = "--check" ]; then
  diff -r "$target" "$out" >/dev/null || { echo "The types in $out are stale: run npm run generate" >&2; exit 1; }
fi
