// The board: what waits, nearest deadline first, and live.

import { data } from "../asking.js";
import { forget, serverSays } from "../clock.js";
import { announce, button, calmly, fill, h } from "../dom.js";
import { person } from "../people.js";
import { Stream } from "../stream.js";
import { Detail } from "./detail.js";
import { PAGE, STREAM, VIEWER } from "./documents.js";
import { Rows } from "./rows.js";
import { Table } from "./table.js";
import { Line } from "./line.js";
import { iAm } from "./words.js";

const ON_A_PAGE = 50;
const OPEN = ["PENDING_REVIEW", "AWAITING_BUYER_RESPONSE", "IN_PROGRESS", "REJECTED", "REFUNDING"];
const LISTS = {
  turn: { label: "Your turn", filter: (party) => ({ waitingFor: party === "PARTNER" ? "SELLER" : party }), empty: "Nothing waits for you. What comes will appear here by itself." },
  open: { label: "All open", filter: () => ({ statuses: OPEN }), empty: "Nothing is open." },
  all: { label: "All", filter: () => ({}), empty: "There are no requests yet." },
};

export class Board {
  /**
   * @param {{schema: () => object, library: object[], toEditor: Function, go: (number: string | null) => void}} given
   */
  constructor(given) {
    this.given = given;
    this.rows = new Rows();
    this.list = "turn";
    this.detail = new Detail({ ...given, closed: () => given.go(null) });
    this.table = new Table((id) => given.go(this.rows.get(id)?.number ?? null));
    this.line = new Line();
    this.tabs = h("div.tabs", { role: "group", "aria-label": "Which requests" }, Object.entries(LISTS).map(([name, { label }]) => this._tab(name, label)));
    this.search = h("input", { type: "search", id: "board-search", placeholder: "Number, product, words", "aria-label": "Search requests" });
    this.search.addEventListener("input", calmly(300, () => this.load()));
    this.title = h("h1", {}, "Board");
    this.total = h("p.total", { role: "status" });
    this.message = h("div.message");
    this.more = button("Show more", () => this._more(), { hidden: true });
    const head = h("header.board-head", {}, h("div", {}, this.title, this.total), this.line.element, h("div.tools", {}, this.tabs, this.search));
    this.main = h("div.board-main", {}, head, this.table.element, this.message, this.more);
    this.element = h("div.board", {}, this.main, this.detail.element);
    setInterval(() => this.table.tick(this.detail.body), 500);
  }

  /** Shows this request beside the table, or none. */
  async open(number) {
    if (!number) {
      const { id, open } = this.detail;
      this.detail.hide();
      if (open) this.table.focus(id);
    } else if (number !== this.detail.by?.number) await this.detail.show({ number });
    this.element.classList.toggle("with-detail", this.detail.open);
    this.table.mark(this.detail.by?.number);
  }

  personChanged() {
    forget();
    this.viewer = null;
    this.search.value = "";
    if (this.detail.open) this.given.go(null);
    return this.load();
  }

  /** Reads the page anew, and follows from there. */
  async load() {
    this.stream?.stop();
    this.rows.start();
    const mine = (this.loading = {}); // whoever asks later is the one that counts
    if (!person.token) return this._say("Choose above who you are: the board shows what is yours.");
    this.table.wait();
    this._say();
    try {
      if (!this.viewer) await this._look();
      if (mine !== this.loading) return undefined;
      const { requests } = await this._page(null);
      if (mine !== this.loading) return undefined;
      this.rows.add(requests.nodes, requests.pageInfo.hasNextPage);
      this.totalCount = requests.totalCount;
      this.end = requests.pageInfo.endCursor;
      this._follow(requests.streamCursor);
      this.table.draw(this.rows.sorted);
      this._settle();
    } catch (error) {
      if (mine === this.loading) this._say(error.message, button("Try again", () => this.load()));
    }
    return undefined;
  }

  async _look() {
    const { me } = await data(VIEWER, {}, person.token);
    this.viewer = me;
    iAm(me.party === "PARTNER" ? "SELLER" : me.party);
    this.title.textContent = me.shops.length ? me.shops.map((shop) => shop.name).join(" and ") : "Board";
  }

  _page(after) {
    return data(PAGE, { filter: this._filter(), after, first: ON_A_PAGE }, person.token);
  }

  async _more() {
    const mine = this.loading;
    this.more.disabled = true;
    try {
      const { requests } = await this._page(this.end);
      if (mine !== this.loading) return;
      this.rows.add(requests.nodes, requests.pageInfo.hasNextPage);
      this.end = requests.pageInfo.endCursor;
      this.table.draw(this.rows.sorted);
      this._settle();
    } catch (error) {
      this._say(error.message);
    } finally {
      this.more.disabled = false;
    }
  }

  _follow(after) {
    const operation = { document: STREAM, variables: { filter: this._filter(), after }, token: person.token, resumes: true };
    const on = { item: (result) => this._hear(result), state: (state) => this.line.show(state) };
    this.stream = new Stream(operation, on).start();
  }

  _hear({ data: told, errors }) {
    if (errors) return this.line.show({ name: "refused", why: errors[0].message });
    const item = told.requestStream;
    if (item.serverTime) serverSays(item.serverTime);
    if (item.__typename === "StreamReset") return this.load();
    if (!item.request && !item.requestId) return undefined;
    const what = this.rows.apply(item);
    const id = item.request?.id ?? item.requestId;
    if (id === this.detail.id) this.detail.anew();
    if (what) this._changed(what, id);
    return undefined;
  }

  _changed(what, id) {
    this.totalCount += { come: 1, left: -1, changed: 0 }[what];
    this.table.later(this.rows, id);
    this.line.count(this.rows.count);
    this._settle();
    const { come, changed, left } = this.rows.count;
    announce(`${come} came, ${changed} changed, ${left} left.`, 20);
  }

  _filter() {
    const words = this.search.value.trim();
    return { ...LISTS[this.list].filter(this.viewer.party), ...(words ? { text: words } : {}) };
  }

  /** What stands around the rows: how many, whether there are more, what it means if there are none. */
  _settle() {
    const shown = this.rows.held.size;
    const all = Math.max(shown, this.totalCount);
    this.total.textContent = shown === all ? `${all} ${all === 1 ? "request" : "requests"}` : `${shown} of ${all} requests`;
    this.more.hidden = this.rows.whole;
    fill(this.message, shown ? null : h("p.empty", {}, this.search.value ? "No request has these words." : LISTS[this.list].empty));
  }

  _say(text, ...more) {
    fill(this.message, text ? h("p.empty", {}, text) : null, more);
    if (!text) return undefined;
    this.table.draw([]);
    this.total.textContent = "";
    this.more.hidden = true;
    this.line.show({ name: "none" });
    return undefined;
  }

  _tab(name, label) {
    return button(label, () => this._choose(name), { "aria-pressed": String(name === this.list), data: { list: name } });
  }

  _choose(name) {
    this.list = name;
    for (const tab of this.tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.list === name));
    return this.load();
  }
}
