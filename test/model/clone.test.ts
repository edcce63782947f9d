import { afterAll, describe, expect, it } from 'vitest';
import { alertsOf } from '../../src/actors/clone/alerts.js';
import { judgeArrival, maxClones } from '../../src/actors/clone/arrival.js';
import { decideClone } from '../../src/actors/clone/decision.js';
import type { CloneEvent } from '../../src/actors/clone/events.js';
import { cloneActionsIn, cloneMachine, moveClone } from '../../src/actors/clone/machine.js';
import {
  type CloneAction,
  type CloneCase,
  type CloneState,
  cloneStates,
} from '../../src/actors/clone/record.js';
import { ticketHash } from '../../src/actors/clone/ticket.js';
import type { DeviceRecord } from '../../src/actors/device/record.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { AppError } from '../../src/kernel/errors.js';
import { Coverage } from './coverage.js';
import { sampleDevice, start } from './samples.js';

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const others = [
  verifiedCaller({ kind: 'operator', name: 'bob', role: 'approver' }),
  verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: '' }),
  verifiedCaller({ kind: 'system', name: 'daemon' }),
];
const arrival = { ticket: 'h2', instance: 'i2', address: '192.0.2.9', hostname: 'copy' };
const sample: CloneCase = {
  id: 'cl_1',
  state: 'waiting',
  kind: 'older_state',
  tickets: ['h1'],
  given: [],
  instance: 'i1',
  address: '192.0.2.1',
  hostname: 'copy',
  firstSeenAt: start,
  lastSeenAt: start,
  attempts: 1,
};

const about = { by: 'operator:ada', reason: 'because' };
const events: Readonly<Record<CloneEvent['type'], CloneEvent>> = {
  came: { type: 'came', arrival },
  admitted: { type: 'admitted', arrival, before: { confirmed: 'c' }, given: 'g' },
  continued: { type: 'continued', arrival, given: 'g' },
  ousted: { type: 'ousted' },
  replace: { type: 'replace', caller: admin, reason: 'because' },
  reject: { type: 'reject', caller: admin, reason: 'because' },
  allow: { type: 'allow', caller: admin, reason: 'because' },
  displaced: { type: 'displaced', ...about },
  settled: { type: 'settled', ...about },
};

/** What becomes of a host, and nothing else does. */
const table: Readonly<Record<'new' | CloneState, Partial<Record<CloneEvent['type'], CloneState>>>> = {
  new: { came: 'waiting', admitted: 'admitted', displaced: 'rejected' },
  waiting: {
    came: 'waiting',
    admitted: 'admitted',
    replace: 'replacing',
    reject: 'rejected',
    allow: 'allowing',
    displaced: 'rejected',
  },
  admitted: {
    came: 'admitted',
    admitted: 'admitted',
    continued: 'admitted',
    ousted: 'waiting',
    replace: 'replaced',
    reject: 'rejected',
    allow: 'allowed',
    displaced: 'rejected',
    settled: 'allowed',
  },
  replacing: {
    came: 'replacing',
    admitted: 'replaced',
    reject: 'rejected',
    allow: 'allowing',
    displaced: 'rejected',
  },
  allowing: {
    came: 'allowing',
    admitted: 'allowed',
    replace: 'replacing',
    reject: 'rejected',
    displaced: 'rejected',
  },
  rejected: { came: 'rejected', replace: 'replacing', allow: 'allowing', displaced: 'rejected' },
  replaced: { came: 'waiting', admitted: 'admitted', displaced: 'rejected' },
  allowed: { came: 'waiting', admitted: 'admitted', displaced: 'rejected' },
};

function outcome(state: 'new' | CloneState, event: CloneEvent) {
  const record = state === 'new' ? sample : { ...sample, state };
  try {
    return moveClone(state, record, event, start + 1);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}

const visited = new Set<string>();
const coverage = new Coverage(cloneMachine);
coverage.watchTable();

describe.each(['new', ...cloneStates] as const)('another host that is %s', (state) => {
  it.each(Object.keys(events) as CloneEvent['type'][])('%s', (type) => {
    const expected = table[state][type];
    const made = outcome(state, events[type]);
    if (expected === undefined) {
      expect(made).toMatchObject({ code: 'device.not_possible' });
      return;
    }
    visited.add(expected);
    expect(made).toMatchObject({ id: 'cl_1', state: expected, firstSeenAt: start });
    if (type === 'came' || type === 'admitted' || type === 'continued') {
      expect(made).toMatchObject({
        tickets: ['h1', 'h2'],
        instance: 'i2',
        attempts: 2,
        lastSeenAt: start + 1,
      });
    }
    if (type === 'admitted') expect(made).toMatchObject({ given: ['g'], before: { confirmed: 'c' } });
    if ('reason' in events[type]) expect(made).toMatchObject({ decision: { ...about, at: start + 1 } });
  });

  it('is decided on by an admin and by nobody else', () => {
    for (const type of ['replace', 'reject', 'allow'] as const) {
      for (const caller of others) {
        expect(outcome(state, { type, caller, reason: '' })).toMatchObject({ code: 'device.forbidden' });
      }
    }
    if (state === 'new') return;
    expect(cloneActionsIn(state)).toEqual(
      (['replace', 'reject', 'allow'] as const).filter((action) => table[state][action] !== undefined),
    );
  });
});

afterAll(() => {
  const named = Object.keys(cloneMachine.states).filter((state) => state !== 'new');
  expect([...visited].sort()).toEqual(named.sort());
  coverage.expectAll();
});

/** A host process with the disk of a device: it may be copied, and started again. */
class Host {
  ticket: string;
  instance: string;
  static #processes = 0;

  constructor(disk: { readonly ticket: string }) {
    this.ticket = disk.ticket;
    this.instance = Host.#next();
  }

  static #next(): string {
    Host.#processes += 1;
    return `i${Host.#processes}`;
  }

  copy(): Host {
    return new Host(this);
  }

  restart(): void {
    this.instance = Host.#next();
  }
}

/** A daemon of one device, with the real rules, in which hosts come and go. */
class World {
  device: DeviceRecord = sampleDevice();
  live: Host | undefined;
  #given = 0;
  #now = start;

  /** A host asks for a session: it becomes live, or gets the code of its refusal. */
  connect(host: Host): 'live' | 'live, and suspected' | string {
    this.#given += 1;
    this.#now += 1_000;
    const given = `t${this.#given}`;
    const newcomer = { ticket: host.ticket, instance: host.instance, address: '192.0.2.1', hostname: 'h' };
    const verdict = judgeArrival(this.device, newcomer, this.live !== undefined, given, this.#now);
    const { clones, ticket, refusal, ticketMatches } = verdict;
    this.device = { ...this.device, clones, ticket };
    if (refusal) return refusal.code.replace('session.', '');
    host.ticket = given;
    this.live = host;
    this.device = { ...this.device, ticket: { confirmed: given, holder: host.instance } };
    return ticketMatches ? 'live' : 'live, and suspected';
  }

  /** Its line is cut, or it is stopped. */
  drop(): void {
    this.live = undefined;
  }

  decide(action: CloneAction, clone?: string): void {
    this.#now += 1_000;
    const decision = { action, caller: admin, reason: 'because', ...(clone === undefined ? {} : { clone }) };
    const { clones, ticket, ends } = decideClone(this.device, decision, 'worthless', this.#now);
    this.device = { ...this.device, clones, ticket };
    if (ends) this.live = undefined;
  }

  get states(): readonly string[] {
    return this.device.clones.map(({ state }) => state);
  }
}

/** A device that was connected twice, and a copy of its disk: as it is now, or as it was before. */
function copied(when: 'now' | 'before') {
  const world = new World();
  const original = new Host({ ticket: '' });
  world.connect(original);
  const old = original.copy();
  world.drop();
  expect(world.connect(original)).toBe('live');
  return { world, original, copy: when === 'now' ? original.copy() : old };
}

describe.each(['now', 'before'] as const)('a copy of the disk as it is %s', (when) => {
  it('waits while the original answers, and the original is not disturbed', () => {
    const { world, original, copy } = copied(when);
    expect([world.connect(copy), world.connect(copy)]).toEqual(['clone_waiting', 'clone_waiting']);
    expect(world.live).toBe(original);
    expect(world.device.clones).toMatchObject([
      { state: 'waiting', attempts: 2, kind: when === 'now' ? 'two_hosts' : 'older_state' },
    ]);
    world.drop();
    expect(world.connect(original)).toBe('live');
  });

  it('stays out once it is rejected, also after a restart, and the original goes on', () => {
    const { world, original, copy } = copied(when);
    world.connect(copy);
    world.decide('reject');
    expect(world.connect(copy)).toBe('clone_rejected');
    copy.restart();
    expect(world.connect(copy)).toBe('clone_rejected');
    world.drop();
    expect(world.connect(copy)).toBe('clone_rejected');
    expect(world.connect(original)).toBe('live');
    world.drop();
    copy.restart();
    expect(world.connect(copy)).toBe('clone_rejected');
    original.restart();
    expect(world.connect(original)).toBe('live');
    expect(world.states).toEqual(['rejected']);
  });

  it('becomes the device when it replaces the original, which stays out from then on, also after a restart', () => {
    const { world, original, copy } = copied(when);
    world.connect(copy);
    world.decide('replace');
    expect(world.live).toBeUndefined();
    expect(world.connect(original)).toBe('clone_rejected');
    original.restart();
    expect(world.connect(original)).toBe('clone_rejected');
    expect(world.connect(copy)).toBe('live, and suspected');
    expect(world.connect(original)).toBe('clone_rejected');
    world.drop();
    copy.restart();
    expect(world.connect(copy)).toBe('live');
    world.drop();
    original.restart();
    expect(world.connect(original)).toBe('clone_rejected');
    expect(world.states).toEqual(['replaced', 'rejected']);
  });

  it('is let in once when it is allowed; the original is turned away by nobody, and waits if it comes back', () => {
    const { world, original, copy } = copied(when);
    world.connect(copy);
    world.decide('allow');
    expect(world.connect(copy)).toBe('live, and suspected');
    expect(world.states).toEqual(['allowed']);
    expect(world.connect(original)).toBe('clone_waiting');
    world.drop();
    copy.restart();
    expect(world.connect(copy)).toBe('live');
  });

  it('can be allowed after it was rejected, and the other way round', () => {
    const { world, original, copy } = copied(when);
    world.connect(copy);
    world.decide('reject');
    world.connect(original);
    world.decide('allow', world.device.clones[0]?.id ?? '');
    world.decide('reject', world.device.clones[0]?.id ?? '');
    expect(world.connect(copy)).toBe('clone_rejected');
    world.decide('allow', world.device.clones[0]?.id ?? '');
    expect(world.connect(copy)).toBe('live, and suspected');
  });
});

describe('a copy that comes while the original is away', () => {
  function inside() {
    const { world, original, copy } = copied('before');
    world.drop();
    expect(world.connect(copy)).toBe('live, and suspected');
    expect(world.device.clones).toMatchObject([{ state: 'admitted', kind: 'older_state' }]);
    return { world, original, copy };
  }

  it('is let in with an alarm, for nobody is fenced by one; the original waits then', () => {
    const { world, original, copy } = inside();
    expect(world.connect(original)).toBe('clone_waiting');
    expect(world.live).toBe(copy);
    world.drop();
    copy.restart();
    expect(world.connect(copy)).toBe('live');
    expect(world.states).toEqual(['admitted', 'waiting']);
  });

  it('is thrown out when it is rejected, whatever it was given meanwhile, and what the original holds counts again', () => {
    const { world, original, copy } = inside();
    world.drop();
    expect(world.connect(copy)).toBe('live');
    world.decide('reject');
    expect(world.live).toBeUndefined();
    expect(world.connect(copy)).toBe('clone_rejected');
    copy.restart();
    expect(world.connect(copy)).toBe('clone_rejected');
    // Nothing that only the copy has settled is taken as settled with the original.
    expect(world.connect(original)).toBe('live, and suspected');
    world.drop();
    expect(world.connect(original)).toBe('live');
    expect(world.states).toEqual(['rejected']);
  });

  it('stays when it is allowed or replaces the original, which is turned away by the latter only', () => {
    for (const action of ['allow', 'replace'] as const) {
      const { world, original, copy } = inside();
      world.decide(action);
      expect(world.live).toBe(copy);
      expect(world.connect(original)).toBe(action === 'allow' ? 'clone_waiting' : 'clone_rejected');
    }
  });

  it('is the device when the original, which waits, is rejected; and is not when the original replaces it', () => {
    const { world, original, copy } = inside();
    world.connect(original);
    const [, waiting] = world.device.clones;
    world.decide('reject', waiting?.id ?? '');
    expect(world.states).toEqual(['allowed', 'rejected']);
    expect([world.live, world.connect(original)]).toEqual([copy, 'clone_rejected']);
    const other = inside();
    other.world.connect(other.original);
    other.world.decide('replace', other.world.device.clones[1]?.id ?? '');
    expect(other.world.connect(other.copy)).toBe('clone_rejected');
    expect(other.world.connect(other.original)).toBe('live, and suspected');
    expect(other.world.states).toEqual(['rejected', 'replaced']);
  });

  it('has lost the session when the original is let in again, and is not taken for it', () => {
    const { world, original, copy } = inside();
    world.drop();
    expect(world.connect(original)).toBe('live, and suspected');
    expect(world.states).toEqual(['waiting', 'admitted']);
    expect(world.connect(copy)).toBe('clone_waiting');
    world.decide('reject', world.device.clones[0]?.id ?? '');
    expect(world.live).toBe(original);
    expect(world.connect(copy)).toBe('clone_rejected');
    expect(world.states).toEqual(['rejected', 'allowed']);
  });
});

describe('after a backup was restored', () => {
  /** The device has moved on since the backup twice, and a copy of its disk is of in between. */
  function restored() {
    const { world, original } = copied('now');
    const backup = world.device;
    world.drop();
    world.connect(original);
    const copy = original.copy();
    world.drop();
    world.connect(original);
    world.drop();
    world.device = { ...backup, ticket: { ...backup.ticket, restoredFrom: start } };
    return { world, original, copy };
  }
  const kinds = ({ device }: World): readonly string[] => device.clones.map(({ kind }) => kind);

  it('the first host with a ticket that is not in it is let in with an alarm of its own kind, once', () => {
    const { world, original } = restored();
    expect(world.connect(original)).toBe('live, and suspected');
    expect(world.device.clones).toMatchObject([
      { kind: 'after_restore', state: 'admitted', backupAt: start },
    ]);
    expect(alertsOf(world.device)).toMatchObject([
      { message: expect.stringMatching(/backup of 2026-01-01T00:00:00.000Z.*palyra devices allow-restored/) },
    ]);
    world.decide('allow');
    expect(alertsOf(world.device)).toEqual([]);
    world.drop();
    original.restart();
    expect(world.connect(original)).toBe('live');
    expect(world.states).toEqual(['allowed']);
  });

  it('a copy that comes after the device is as suspicious as ever', () => {
    const { world, original, copy } = restored();
    world.connect(original);
    expect(world.connect(copy)).toBe('clone_waiting');
    world.drop();
    expect(world.connect(copy)).toBe('live, and suspected');
    expect(kinds(world)).toEqual(['after_restore', 'older_state']);
    expect(alertsOf(world.device)).toHaveLength(2);
  });

  it('a copy that comes before the device does not hide: the device raises the second alarm', () => {
    const { world, original, copy } = restored();
    expect(world.connect(copy)).toBe('live, and suspected');
    expect(world.connect(original)).toBe('clone_waiting');
    expect(kinds(world)).toEqual(['after_restore', 'older_state']);
    // Also when the first one was allowed by then.
    world.decide('allow', world.device.clones[0]?.id ?? '');
    world.drop();
    expect(world.connect(original)).toBe('live, and suspected');
    expect(alertsOf(world.device)).toHaveLength(1);
  });

  it('a device that has not moved on since comes without an alarm, and no copy does so after it', () => {
    const { world, original } = copied('now');
    const old = original.copy();
    old.ticket = 'of later';
    world.drop();
    world.device = { ...world.device, ticket: { ...world.device.ticket, restoredFrom: start } };
    expect(world.connect(original)).toBe('live');
    world.drop();
    expect(world.connect(old)).toBe('live, and suspected');
    expect(kinds(world)).toEqual(['older_state']);
  });
});

describe('what is asked of an operator', () => {
  it('names the case when there are several', () => {
    const { world, original, copy } = copied('before');
    world.connect(copy);
    world.connect(original.copy());
    expect(() => world.decide('reject')).toThrow(expect.objectContaining({ code: 'device.ambiguous_clone' }));
    for (const { id } of world.device.clones) world.decide('reject', id);
    expect(() => world.decide('reject')).toThrow(expect.objectContaining({ code: 'device.no_clone' }));
    expect(() => world.decide('allow', 'cl_none')).toThrow(
      expect.objectContaining({ code: 'device.no_clone' }),
    );
  });

  it('stays bounded, whatever a holder of the key makes up', () => {
    const { world, original } = copied('now');
    for (let i = 0; i < 50; i++) {
      const made = original.copy();
      made.ticket = `made up ${i}`;
      expect(world.connect(made)).toBe('clone_waiting');
    }
    expect(world.device.clones).toHaveLength(maxClones);
    expect(world.live).toBe(original);
    world.drop();
    expect(world.connect(original)).toBe('live');
    // A host for which there is no room is not let in unseen.
    world.drop();
    const last = original.copy();
    last.ticket = 'made up too';
    expect(world.connect(last)).toBe('clone_waiting');
  });

  it('makes room by what is decided', () => {
    const { world, original } = copied('now');
    for (let i = 0; i < maxClones; i++) {
      const made = original.copy();
      made.ticket = `made up ${i}`;
      world.connect(made);
      world.decide('reject');
    }
    const known = original.copy();
    known.ticket = `made up ${maxClones - 1}`;
    expect(world.connect(known)).toBe('clone_rejected');
    const one = original.copy();
    one.ticket = 'one more';
    expect(world.connect(one)).toBe('clone_waiting');
    expect(world.states.filter((state) => state === 'waiting')).toHaveLength(1);
  });

  it('is nothing for a host that is restarted, moved, or cut off again and again', () => {
    const { world, original } = copied('now');
    for (let i = 0; i < 20; i++) {
      world.drop();
      if (i % 3 === 0) original.restart();
      expect(world.connect(original)).toBe('live');
    }
    expect(world.device.clones).toEqual([]);
  });

  it('keeps hashes of tickets, not tickets', () => {
    const { world, copy } = copied('before');
    const { ticket } = copy;
    world.connect(copy);
    expect(world.device.clones[0]?.tickets).toEqual([ticketHash(ticket)]);
  });
});
