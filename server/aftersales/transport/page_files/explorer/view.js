// The schema to look things up in: search, types with all they hold, and where each is used.

import { button, calmly, fill, h } from "../dom.js";
import { innermost, written } from "../language/schema.js";
import { found } from "./search.js";

const KINDS = {
  OBJECT: "type",
  INPUT_OBJECT: "input",
  INTERFACE: "interface",
  ENUM: "enum",
  UNION: "union",
  SCALAR: "scalar",
};

export class Explorer {
  /**
   * @param {() => Map<string, string[]>} marks directives by `Type` or `Type.field`
   */
  constructor(marks) {
    this.marks = marks;
    this.search = h("input", { type: "search", id: "schema-search", placeholder: "Search types, fields, words", "aria-label": "Search the schema" });
    this.search.addEventListener("input", calmly(120, () => this._search()));
    this.results = h("div.results", { "aria-live": "off" });
    this.page = h("article.type", { tabindex: "-1", "aria-label": "Type" });
    const sdl = h("a.download", { href: new URL("../schema.graphql", import.meta.url).href, download: "aftersales.graphql" }, "Download the SDL");
    this.element = h("div.explorer", {}, h("nav", { "aria-label": "Types" }, this.search, this.results, sdl), this.page);
    this.missing("The schema has not come yet.");
  }

  missing(why) {
    this.schema = null;
    fill(this.results);
    fill(this.page, h("p.empty", {}, why));
  }

  show(schema) {
    this.schema = schema;
    this._search();
    this.open(this.current && schema.type(this.current) ? this.current : schema.roots.query);
  }

  /** Shows a type, and where in it a field is. */
  open(name, field, byHand = false) {
    const type = this.schema?.type(name);
    if (!type) return;
    this.current = name;
    fill(this.page, this._type(type));
    const row = field && this.page.querySelector(`[data-field="${field}"]`);
    row?.classList.add("sought");
    (row ?? this.page).scrollIntoView({ block: row ? "center" : "nearest" });
    if (byHand) this.page.focus({ preventScroll: true });
    for (const one of this.results.querySelectorAll("button")) {
      one.toggleAttribute("aria-current", one.dataset.type === name && (one.dataset.field ?? "") === (field ?? ""));
    }
  }

  _search() {
    if (!this.schema) return;
    const words = this.search.value.trim();
    const groups = found(this.schema, words);
    fill(this.results, groups.map(([title, hits]) => h("section", {}, h("h3", {}, title), h("ul", {}, hits.map((hit) => this._hit(hit))))));
    if (!groups.length) fill(this.results, h("p.empty", {}, `Nothing in the schema has “${words}”.`));
  }

  _hit({ type, field }) {
    const label = field ? [h("span.quiet", {}, `${type.name}.`), field.name] : type.name;
    const data = { type: type.name, ...(field ? { field: field.name } : {}) };
    return h("li", {}, h("button", { type: "button", data, on: { click: () => this.open(type.name, field?.name, true) } }, label));
  }

  _type(type) {
    return [
      h("p.quiet", {}, KINDS[type.kind], type.interfaces.length ? [" implements ", this._links(type.interfaces)] : null),
      h("h2", {}, type.name),
      this._marks(type.name),
      type.description ? h("p.lead", {}, type.description) : null,
      type.possible.length ? h("p", {}, "One of ", this._links(type.possible)) : null,
      type.isOneOf ? h("p", {}, "Exactly one of these is given.") : null,
      this._fields(type, [...type.fields.values(), ...type.inputs.values()]),
      this._values(type),
      this._uses(type),
    ];
  }

  _fields(type, fields) {
    if (!fields.length) return null;
    return h("dl.fields", {}, fields.map((field) => this._field(type, field)));
  }

  _field(type, field) {
    const args = [...(field.args?.values() ?? [])];
    return h(
      `div.field${field.isDeprecated ? ".deprecated" : ""}`,
      { data: { field: field.name } },
      h("dt", {}, h("code", {}, h("b", {}, field.name), ": ", this._reference(field.type), this._default(field))),
      h(
        "dd",
        {},
        field.isDeprecated ? h("p.warning", {}, `Deprecated: ${field.deprecationReason}`) : null,
        field.description ? h("p", {}, field.description) : null,
        this._marks(`${type.name}.${field.name}`),
        args.length ? h("ul.arguments", {}, args.map((arg) => this._argument(arg))) : null,
      ),
    );
  }

  _argument(arg) {
    const code = h("code", {}, arg.name, ": ", this._reference(arg.type), this._default(arg));
    return h("li", {}, code, arg.description ? ` ${arg.description}` : null);
  }

  _default({ defaultValue }) {
    return defaultValue === null || defaultValue === undefined ? null : h("span.quiet", {}, ` = ${defaultValue}`);
  }

  _values(type) {
    if (!type.values.length) return null;
    const rows = type.values.map(({ name, description, isDeprecated, deprecationReason }) =>
      h(
        `div.field${isDeprecated ? ".deprecated" : ""}`,
        { data: { field: name } },
        h("dt", {}, h("code", {}, name)),
        h("dd", {}, isDeprecated ? h("p.warning", {}, `Deprecated: ${deprecationReason}`) : null, description),
      ),
    );
    return h("dl.fields", {}, rows);
  }

  _uses({ name }) {
    const uses = [...this.schema.uses(name)];
    if (!uses.length) return null;
    const rows = uses.map(([type, field]) => h("li", {}, button(`${type.name}.${field.name}`, () => this.open(type.name, field.name, true), { kind: "link" })));
    return h("details.uses", { open: uses.length <= 12 }, h("summary", {}, `Used in ${uses.length} ${uses.length === 1 ? "place" : "places"}`), h("ul", {}, rows));
  }

  /** A type as written, the name in it a way to it. */
  _reference(type) {
    const name = innermost(type);
    const [before, after] = written(type).split(name);
    return [before, button(name, () => this.open(name, undefined, true), { kind: "link" }), after];
  }

  _links(names) {
    return names.map((name, at) => [at ? ", " : "", button(name, () => this.open(name, undefined, true), { kind: "link" })]);
  }

  _marks(name) {
    const marks = this.marks().get(name);
    return marks ? h("p.marks", {}, marks.map((mark) => h("code.mark", {}, mark))) : null;
  }
}
