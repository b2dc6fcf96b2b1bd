// The rows that the board holds: in the order of what is due first, changed by what the stream tells.

/** What is due comes first; without a clock, last; then as the server does, by id. */
export function sooner(one, other) {
  const due = ({ nextDeadline }) => (nextDeadline?.dueAt ? Date.parse(nextDeadline.dueAt) : Infinity);
  const [mine, theirs] = [due(one), due(other)];
  if (mine !== theirs) return mine < theirs ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

export class Rows {
  constructor() {
    this.start();
  }

  start() {
    this.held = new Map();
    this.whole = true; // whether the last page was read
    this.count = { changed: 0, come: 0, left: 0 };
  }

  /** A page of the list, behind those there are. */
  add(page, hasNextPage) {
    for (const row of page) this.held.set(row.id, row);
    this.whole = !hasNextPage;
    this.last = [...this.held.values()].sort(sooner).at(-1);
  }

  get sorted() {
    return [...this.held.values()].sort(sooner);
  }

  get(id) {
    return this.held.get(id);
  }

  /** @returns {"changed"|"come"|"left"|null} what an item of the stream does to the board; null: nothing that is seen */
  apply(item) {
    const what = item.__typename === "RequestLeft" ? this._leave(item.requestId) : this._take(item.request);
    if (what) this.count[what] += 1;
    return what;
  }

  _take(row) {
    const before = this.held.get(row.id);
    // at least once, and in order: an older state of what we hold already says nothing new
    if (before && before.version > row.version) return null;
    if (!before && !this._within(row)) return null;
    this.held.set(row.id, row);
    return before ? "changed" : "come";
  }

  _leave(id) {
    return this.held.delete(id) ? "left" : null;
  }

  /** Whether a row that was not there belongs to what is shown; behind it, it comes when more is asked for. */
  _within(row) {
    return this.whole || !this.last || sooner(row, this.last) < 0;
  }
}
