/** Names longer than this are compared by their beginning, which bounds the work on a peer's text. */
const longest = 64;

/**
 * How many edits turn one text into the other: insert, delete, replace, or swap two neighbours (the optimal string
 * alignment distance).
 */
export function editDistance(left: string, right: string): number {
  const a = left.slice(0, longest);
  const b = right.slice(0, longest);
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The candidates that someone who wrote `name` may have meant, the likeliest first: those within a third of the name's
 * length in edits, then those that contain it. Case is ignored; at most `limit` are returned.
 *
 * @example nearest('system.heath', ['echo', 'system.health']) // ['system.health']
 */
export function nearest(name: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const allowed = Math.floor(Math.min(wanted.length, longest) / 3);
  const found: { readonly candidate: string; readonly cost: number }[] = [];
  for (const candidate of candidates) {
    const text = candidate.toLowerCase();
    const cost = editDistance(wanted, text);
    if (cost <= allowed) found.push({ candidate, cost });
    else if (wanted.length > 2 && text.includes(wanted))
      found.push({ candidate, cost: longest + text.length });
  }
  found.sort((a, b) => a.cost - b.cost || (a.candidate < b.candidate ? -1 : 1));
  return found.slice(0, limit).map((match) => match.candidate);
}

/** The near matches as a question for a hint, `Did you mean 'a' or 'b'?`; undefined when nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const names = nearest(name, candidates).map((candidate) => `'${candidate}'`);
  return names.length === 0 ? undefined : `Did you mean ${names.join(' or ')}?`;
}
