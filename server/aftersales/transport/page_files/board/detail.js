// One request opened: what is asked, until when, what may be done, what happened.

import { data } from "../asking.js";
import { button, calmly, dayAndTime, fill, h } from "../dom.js";
import { person } from "../people.js";
import { actionsOf, confirm, prefilled, simple } from "./acting.js";
import { DETAIL } from "./documents.js";
import { tick } from "./row.js";
import { party, words } from "./words.js";

export class Detail {
  /**
   * @param {{schema: () => object, library: object[], toEditor: (operation: object, ready: object) => void, closed: () => void}} given
   */
  constructor(given) {
    this.given = given;
    this.heading = h("h2", { tabindex: "-1", id: "detail-title" });
    this.body = h("div.body");
    this.element = h(
      "section.detail",
      { hidden: true, "aria-labelledby": "detail-title", on: { keydown: (event) => event.key === "Escape" && this.given.closed() } },
      h("header", {}, this.heading, button("Close", () => this.given.closed())),
      this.body,
    );
    this.anew = calmly(200, () => this.load());
  }

  get open() {
    return !this.element.hidden;
  }

  /** @param {{id?: string, number?: string}} by */
  show(by) {
    const same = this.by && (this.by.id === by.id || this.by.number === by.number);
    this.by = by;
    this.element.hidden = false;
    if (!same) {
      this.id = by.id;
      this.heading.textContent = by.number ?? "…";
      fill(this.body, h("p.empty", { "aria-busy": "true" }, "Reading …"));
    }
    this.heading.focus({ preventScroll: true });
    return this.load();
  }

  hide() {
    this.element.hidden = true;
    this.by = null;
    this.id = null;
  }

  async load() {
    const { by } = this;
    if (!by) return;
    try {
      const { request } = await data(DETAIL, { by: by.id ? { id: by.id } : { number: by.number } }, person.token);
      if (this.by !== by) return;
      if (request) this._draw(request);
      else fill(this.body, h("p.empty", {}, "There is no such request, or none for you."));
    } catch (error) {
      if (this.by !== by) return;
      fill(this.body, h("p.empty", {}, error.message), button("Try again", () => this.load()));
    }
  }

  _draw(request) {
    this.id = request.id;
    const focused = this.element.contains(document.activeElement) && document.activeElement.dataset.handle;
    this.heading.textContent = request.number;
    fill(
      this.body,
      this._lead(request),
      this._actions(request),
      section("Deadlines", clocks(request)),
      section("Asked for", goods(request)),
      section("Money", money(request)),
      section("Parcels", parcels(request)),
      section("Beside it", beside(request)),
      section("History", history(request)),
    );
    tick(this.body);
    if (focused) (this.body.querySelector(`[data-handle="${focused}"]`) ?? this.heading).focus({ preventScroll: true });
  }

  _lead({ kind, stage, reason, note, tags, order }) {
    return [
      h("p.lead", {}, h("b", {}, stage.label)),
      h("p", {}, `${kind.label}: ${reason.label.toLowerCase()}. Order ${order.number}.`),
      note ? h("blockquote", {}, note) : null,
      tags.length ? h("p.marks", {}, tags.map(({ label }) => h("span.mark", {}, label))) : null,
    ];
  }

  _actions(request) {
    const schema = this.given.schema();
    const all = actionsOf(request);
    if (!all.length) return h("p.quiet.no-actions", {}, "There is nothing for you to do here now.");
    if (!schema) return null;
    return h("div.actions", { role: "group", "aria-label": "What you may do" }, all.map((one) => this._action(one, request, schema)));
  }

  _action(one, request, schema) {
    const { action } = one;
    const quick = simple(action, schema);
    const press = () => {
      if (quick) confirm(one, request, { schema, done: () => this.load() });
      else this.given.toEditor(...prefilled(one, request, { schema, library: this.given.library }));
    };
    const title = action.until ? `until ${dayAndTime(action.until)}` : false;
    return button(quick ? action.label : `${action.label} …`, press, { kind: quick ? "act" : "act.more", data: { handle: action.handle }, title });
  }
}

function section(title, held) {
  return held ? h("section", {}, h("h3", {}, title), held) : null;
}

function clocks({ deadlines }) {
  if (!deadlines.length) return null;
  return h("ul.clocks", {}, deadlines.map(clock));
}

function clock({ label, owedBy, dueAt, remainingSeconds, onExpiry }) {
  const when = dueAt
    ? [h("time.countdown", { datetime: dueAt }), h("small.urgency"), h("small", {}, dayAndTime(dueAt))]
    : h("span.quiet", {}, `paused, ${Math.round((remainingSeconds ?? 0) / 3600)} h left`);
  return h("li.deadline", {}, h("div.when", {}, when), h("div", {}, h("b", {}, label), h("small", {}, `Owed by ${party(owedBy)}. Else: ${onExpiry}`)));
}

function goods({ lines }) {
  const rows = lines.map(({ quantity, orderLine, refundMax }) =>
    h("li", {}, h("span", {}, `${quantity} × ${orderLine.productName}${orderLine.variationName ? `, ${orderLine.variationName}` : ""}`), h("span", {}, refundMax.formatted)),
  );
  return h("ul.pairs", {}, rows);
}

function money({ money: { maximum, approved, paid, parts } }) {
  const rows = [
    ["At most", maximum.formatted],
    approved ? ["Granted", approved.formatted] : null,
    Number(paid.amount) ? ["Paid", paid.formatted] : null,
    ...parts.map(({ kind, amount, bornBy }) => [`${words(kind)}, borne by ${party(bornBy)}`, amount.formatted]),
  ];
  return h("ul.pairs", {}, rows.filter(Boolean).map(([what, much]) => h("li", {}, h("span", {}, what), h("span", {}, much))));
}

function parcels({ shipments }) {
  if (!shipments.length) return null;
  const rows = shipments.map(({ leg, status, carrier, trackingNumber }) =>
    h("li", {}, h("span", {}, `${words(leg)}: ${words(status).toLowerCase()}`), h("span", {}, [carrier, trackingNumber].filter(Boolean).join(" "))),
  );
  return h("ul.pairs", {}, rows);
}

function beside({ disputes, appeal }) {
  const rows = [
    ...disputes.map(({ round, status, claim }) => [`Dispute, round ${round}: ${words(status).toLowerCase()}`, claim]),
    appeal ? [`Appeal: ${words(appeal.status).toLowerCase()}`, appeal.ground.label] : null,
  ].filter(Boolean);
  if (!rows.length) return null;
  return h("ul.beside", {}, rows.map(([what, more]) => h("li", {}, h("b", {}, what), h("small", {}, more))));
}

function history({ history: { nodes, pageInfo } }) {
  const rows = nodes.map(({ type, rule, at, by, note, fromStage, toStage }) => {
    // every event of one act tells the move: once is enough
    const moved = type === "RequestStatusChanged" && fromStage && toStage ? `: ${fromStage.label} → ${toStage.label}` : "";
    return h(
      "li",
      {},
      h("time", { datetime: at }, dayAndTime(at)),
      h("span", {}, h("b", {}, words(type)), moved, h("small", {}, ` by ${party(by)}${rule ? `, rule ${rule}` : ""}`), note ? h("blockquote", {}, note) : null),
    );
  });
  return [h("ol.history", {}, rows), pageInfo.hasNextPage ? h("p.quiet", {}, "Older events are not shown here.") : null];
}
