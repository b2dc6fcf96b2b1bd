// The workbench: the library, the editors of document and variables, and the answer.

import { ask } from "../asking.js";
import { announce, button, byId, calmly, fill, h } from "../dom.js";
import { Editor } from "../editor/editor.js";
import { graphqlTokens, jsonTokens } from "../language/colours.js";
import { check } from "../language/checker.js";
import { completions } from "../language/completion.js";
import { prettify } from "../language/prettify.js";
import { read } from "../language/reader.js";
import { person } from "../people.js";
import { Answer } from "./answer.js";
import { Following } from "./following.js";
import { grouped } from "./library.js";
import { sample } from "./samples.js";

export class Workbench {
  /**
   * @param {{library: object[], orders: [string, string][], schema: () => import("../language/schema.js").Schema | null}} given
   */
  constructor(given) {
    this.given = given;
    this.evidence = []; // ids of files that this person has shown
    this.answer = new Answer();
    this.document = new Editor({
      id: "document",
      label: "Document",
      tokens: graphqlTokens,
      faults: (text) => this._faults(text),
      complete: (text, cursor) => (this.schema ? completions(text, cursor, this.schema) : { start: cursor, offers: [] }),
      run: () => this.run(),
      changed: () => this._named(),
    });
    this.variables = new Editor({
      id: "variables",
      label: "Variables, as JSON",
      tokens: jsonTokens,
      faults: jsonFaults,
      run: () => this.run(),
    });
    this._lay();
    this.list();
    this._start();
  }

  get schema() {
    return this.given.schema();
  }

  /** The schema has come, or another one: it decides what is offered and what is wrong. */
  schemaChanged() {
    this.list();
    this.document.recheck();
  }

  personChanged() {
    this._leave();
    this.evidence = [];
    this.answer.empty();
    if (this.chosen) this.choose(this.chosen);
  }

  /** Puts an operation into the editor, with variables that fit what the person sees. */
  async choose(operation, ready) {
    this.chosen = operation;
    this.document.value = operation.text;
    this.list();
    byId("library").open = wide();
    this.hint.textContent = "Filling in ids of what you see …";
    const filled = ready ?? (await this._sample(operation));
    if (this.chosen !== operation) return; // another was chosen meanwhile
    this.variables.value = JSON.stringify(filled.variables, null, 2);
    this.hint.textContent = filled.hint;
    announce(`${operation.name} is in the editor.`);
  }

  async run() {
    const text = this.document.value;
    const operation = this._operation(text);
    const variables = this._given();
    if (!operation || variables === null) return;
    this._leave();
    if (!wide()) this.answer.element.scrollIntoView({ block: "start" });
    if (operation.kind === "subscription") return this._follow(text, operation, variables);
    this.answer.waiting();
    this.stopping = new AbortController();
    try {
      const asked = { document: text, variables, operationName: operation.name?.text };
      const answer = await ask(asked, person.token, this.stopping.signal);
      this.answer.show(answer);
      this._remember(answer.body, variables);
    } catch (error) {
      if (error.name !== "AbortError") this.answer.fault(error);
    }
  }

  list() {
    const groups = grouped(this.given.library, this.schema, this.search.value);
    fill(this.groups, groups.map(([group, operations]) => this._group(group, operations)));
    if (!groups.length) fill(this.groups, h("p.empty", {}, "No operation has these words."));
  }

  _sample(operation) {
    if (!this.schema) return { variables: {}, hint: "The schema has not come yet." };
    return sample(operation, { schema: this.schema, token: person.token, orders: this.given.orders, evidence: this.evidence });
  }

  _follow(text, operation, variables) {
    const resumes = operation.variables.items.some((one) => one.name.text === "$after");
    this.following = new Following({ document: text, variables, token: person.token, resumes });
    this.answer.follow(this.following);
  }

  _leave() {
    this.stopping?.abort();
    this.following?.stop();
    this.following = null;
  }

  /** A file that is there to be seen may be named by the operations that follow. */
  _remember({ data: told }, variables) {
    for (const payload of Object.values(told ?? {})) {
      const done = payload?.problems?.length === 0;
      const named = JSON.stringify(variables);
      if (done) this.evidence = this.evidence.filter((id) => !named.includes(id)); // a file is named once
      if (payload?.evidence?.url) this.evidence.push(payload.evidence.id);
    }
  }

  /** The one the cursor stands in, else the first. */
  _operation(text) {
    const { operations } = read(text);
    const at = this.document.cursor;
    return operations.find((one) => one.start <= at && at <= one.end) ?? operations[0];
  }

  _given() {
    const text = this.variables.value.trim();
    try {
      return text ? JSON.parse(text) : {};
    } catch (error) {
      this.hint.textContent = `The variables are no JSON: ${error.message}`;
      this.variables.area.focus();
      return null;
    }
  }

  _faults(text) {
    const { faults } = this.schema ? check(read(text), this.schema) : read(text);
    const rows = faults.slice(0, 5).map((fault) => {
      const line = text.slice(0, fault.start).split("\n").length;
      return h("li", {}, button(`Line ${line}: ${fault.message}`, () => this.document.select(fault.start, fault.end)));
    });
    fill(this.wrong, rows);
    return faults;
  }

  _named() {
    const operation = this._operation(this.document.value);
    const kind = operation?.kind === "subscription" ? "Follow" : "Run";
    this.runs.firstChild.textContent = operation?.name ? `${kind} ${operation.name.text}` : kind;
  }

  _group(group, operations) {
    const rows = operations.map((operation) => {
      const current = operation === this.chosen;
      const press = () => this.choose(operation);
      const props = { "aria-current": current ? "true" : false, title: operation.about };
      return h("li", {}, button(operation.name, press, { kind: operation.kind, ...props }));
    });
    return h("section", {}, h("h3", {}, group), h("ul", {}, rows));
  }

  _lay() {
    this.search = h("input", { type: "search", id: "library-search", placeholder: "Search", "aria-label": "Search operations" });
    this.search.addEventListener("input", calmly(120, () => this.list()));
    this.groups = h("div.groups");
    this.wrong = h("ul.faults", { "aria-label": "What is wrong", "aria-live": "polite" });
    this.hint = h("p.hint", { role: "status" });
    this.runs = h("button.primary", { type: "button", on: { click: () => this.run() } }, "Run", h("kbd", {}, isMac() ? "⌘ ↵" : "Ctrl ↵"));
    const tidy = button("Prettify", () => this._prettify());
    const anew = button("Fill in anew", () => this.chosen && this.choose(this.chosen), { title: "A new key, and the ids and versions of now" });
    const library = h("details.library", { id: "library", open: wide() }, h("summary", {}, h("h2", {}, "Operations")), this.search, this.groups);
    const editors = h(
      "section.editors",
      { "aria-label": "Operation" },
      h("div.bar", {}, this.runs, tidy, anew),
      this.document.element,
      this.wrong,
      h("h3", {}, "Variables"),
      this.variables.element,
      this.hint,
    );
    this.element = h("div.workbench", {}, library, editors, this.answer.element);
  }

  _prettify() {
    const before = this.document.value;
    const after = prettify(before);
    if (after !== before) this.document.insert(after, 0, before.length);
    const { value } = this.variables;
    if (value.trim() && !jsonFaults(value).length) this.variables.value = JSON.stringify(JSON.parse(value), null, 2);
  }

  _start() {
    const first = this.given.library.find((one) => one.name === "Board") ?? this.given.library[0];
    if (first) this.document.value = first.text;
    this.chosen = first;
  }
}

const wide = () => matchMedia("(min-width: 60rem)").matches;

const isMac = () => /Mac|iPhone|iPad/.test(navigator.userAgent);

function jsonFaults(text) {
  if (!text.trim()) return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length - 1);
    return [{ start: at, end: at + 1, message: error.message }];
  }
}
