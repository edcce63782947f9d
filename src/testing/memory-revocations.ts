import type { Revocation, RevocationLog } from '../actors/device/revocations.js';

/** A file of revocations without a disk. */
export class MemoryRevocations implements RevocationLog {
  readonly lines: Revocation[];

  constructor(lines: readonly Revocation[] = []) {
    this.lines = [...lines];
  }

  latest(): Iterable<Revocation> {
    return new Map(this.lines.map((line) => [line.deviceId, line])).values();
  }

  of(deviceId: string): Revocation | undefined {
    return this.lines.findLast((line) => line.deviceId === deviceId);
  }

  async append(revocation: Revocation): Promise<void> {
    this.lines.push(revocation);
  }
}
