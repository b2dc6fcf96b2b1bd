// The rows on the screen. Keeps each element while its request is there, so that nothing flickers or loses the focus.

import { fill, h } from "../dom.js";
import { redrawn, rowOf, tick } from "./row.js";

const COLUMNS = ["Due", "Request", "What", "Stage", "Turn", "Amount"];
const LEAVING_MILLISECONDS = 900;

export class Table {
  /** @param {(id: string) => void} open */
  constructor(open) {
    this.open = open;
    this.elements = new Map();
    this.dirty = new Set();
    this.body = h("tbody", { role: "rowgroup" });
    // roles are said again, as the narrow layout takes them from the elements
    const heads = COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name));
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads));
    this.element = h("table.requests", { role: "table", "aria-label": "Requests, nearest deadline first" }, head, this.body);
  }

  /** Shows that rows are on their way, in the room that they will take. */
  wait() {
    this.elements.clear();
    const blank = () => h("tr.blank", { role: "row" }, COLUMNS.map(() => h("td", { role: "cell" }, h("span.bone"))));
    fill(this.body, Array.from({ length: 8 }, blank));
    this.element.setAttribute("aria-busy", "true");
  }

  draw(requests) {
    this.element.removeAttribute("aria-busy");
    this.element.hidden = !requests.length;
    const gone = new Set(this.elements.keys());
    const rows = requests.map((request) => {
      gone.delete(request.id);
      return this._element(request);
    });
    for (const id of gone) this._leave(id);
    if (!this.elements.size) this.body.replaceChildren();
    this._order(rows);
    this.mark(this.marked);
  }

  /** Draws what has changed once for all that came since the last frame. */
  later(rows, id) {
    this.dirty.add(id);
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      const changed = [...this.dirty].map((one) => rows.get(one)).filter(Boolean);
      this.dirty.clear();
      for (const request of changed) this._redraw(request);
      this.draw(rows.sorted);
    });
  }

  tick(...others) {
    if (document.hidden) return;
    for (const element of [this.body, ...others]) tick(element);
  }

  mark(number) {
    this.marked = number;
    for (const row of this.elements.values()) {
      row.toggleAttribute("aria-current", Boolean(number) && row.querySelector(".number").textContent === number);
    }
  }

  focus(id) {
    (this.elements.get(id) ?? this.elements.values().next().value)?.querySelector(".number").focus();
  }

  _element(request) {
    if (!this.elements.has(request.id)) this.elements.set(request.id, rowOf(request, this.open));
    return this.elements.get(request.id);
  }

  _redraw(request) {
    const there = this.elements.has(request.id);
    const row = this._element(request);
    if (there) redrawn(row, request, this.open);
    row.classList.remove("fresh");
    void row.offsetWidth; // so that the tint begins anew
    row.classList.add("fresh");
  }

  /** Moves only what stands elsewhere: a row that is moved would lose the focus. */
  _order(rows) {
    for (const blank of this.body.querySelectorAll(".blank")) blank.remove();
    let next = this.body.firstElementChild;
    for (const row of rows) {
      while (next?.classList.contains("leaving")) next = next.nextElementSibling;
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
    }
  }

  _leave(id) {
    const row = this.elements.get(id);
    this.elements.delete(id);
    row.classList.add("leaving");
    row.removeAttribute("data-id");
    setTimeout(() => row.remove(), LEAVING_MILLISECONDS);
  }
}
