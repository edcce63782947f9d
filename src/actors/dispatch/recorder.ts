import { Recorder, type RecorderOptions } from '../recorder.js';
import type { DispatchRecord } from './record.js';

export { barrierMs, lingerMs } from '../recorder.js';

/** Writes dispatches, by the rules of {@link Recorder}. Acks to nodes go out only when an fsync has covered them. */
export class DispatchRecorder extends Recorder<DispatchRecord> {
  constructor(options: RecorderOptions) {
    super({ kind: 'dispatch', label: 'dispatches', ownerOf: ({ deviceId }) => deviceId }, options);
  }
}
