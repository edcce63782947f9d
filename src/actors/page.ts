export interface PageFilter {
  /** Default: 100. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A page of what has ids that sort by their creation, the newest first; `next` is where the following one starts. */
export function newestPage<T extends { readonly id: string }>(
  items: readonly T[],
  { limit = 100, cursor }: PageFilter,
): { readonly page: readonly T[]; readonly next?: string } {
  const found = items
    .filter(({ id }) => cursor === undefined || id < cursor)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { page, ...(last === undefined || found.length <= limit ? {} : { next: last.id }) };
}
