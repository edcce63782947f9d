import type { Clock } from '../kernel/clock.js';
import type { Store } from '../kernel/store.js';

/** The ticket of the last session, which tells this node's disk from a copy of it (protocol.md 17). */
export interface SessionTicket {
  /** Empty before the first session. */
  current(): Uint8Array;
  /** Resolves when the new ticket is on disk. */
  replace(ticket: Uint8Array): Promise<void>;
}

const kind = 'ticket';
const id = 'session';

/** The ticket as the node's store keeps it. */
export async function sessionTicket(store: Store, clock: Clock): Promise<SessionTicket> {
  const stored = await store.get(kind, id);
  let version = stored?.version ?? 0;
  let current = Buffer.from(
    (stored?.data as { readonly ticket: string } | undefined)?.ticket ?? '',
    'base64',
  );
  return {
    current: () => current,
    async replace(ticket) {
      const now = clock.now();
      const next = Buffer.from(ticket);
      const data = { ticket: next.toString('base64') };
      await store.commit([
        { op: 'put', kind, id, expect: version, state: '', owner: '', createdAt: now, updatedAt: now, data },
      ]);
      version += 1;
      current = next;
    },
  };
}
