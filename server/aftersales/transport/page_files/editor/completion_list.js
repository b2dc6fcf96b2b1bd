// The list at the cursor. The text area keeps the focus; the list follows its keys.

import { fill, h } from "../dom.js";

const SHOWN = 10;

export class CompletionList {
  constructor(editor) {
    this.editor = editor;
    this.id = `${editor.is.id}-completions`;
    this.words = h("ul", { id: this.id, role: "listbox", "aria-label": "Completions" });
    this.note = h("p.about");
    this.element = h("div.completions", { hidden: true }, this.words, this.note);
    editor.area.setAttribute("role", "textbox");
    editor.area.setAttribute("aria-multiline", "true");
    editor.area.setAttribute("aria-autocomplete", "list");
    this.offers = [];
  }

  get open() {
    return !this.element.hidden;
  }

  /** Offers what may stand at the cursor: on request always, else once a word has begun. */
  suggest(asked = false) {
    const { value, cursor } = this.editor;
    const found = this.editor.is.complete(value, cursor);
    const prefix = value.slice(found.start, cursor);
    const whole = found.offers[0]?.text === prefix;
    if (!found.offers.length || (!asked && (!prefix || whole))) return this.close();
    this.start = found.start;
    this.offers = found.offers;
    this.element.hidden = false;
    this._choose(0);
    this._place();
    return undefined;
  }

  close() {
    this.element.hidden = true;
    this.editor.area.removeAttribute("aria-activedescendant");
  }

  /** @returns {boolean} whether the key was for the list */
  key({ key }) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) this._choose((this.chosen + step + this.offers.length) % this.offers.length);
    else if (key === "Enter" || key === "Tab") this._take(this.chosen);
    else if (key === "Escape") this.close();
    else {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) this.close();
      return false;
    }
    return true;
  }

  _choose(at) {
    this.chosen = at;
    const first = Math.max(0, Math.min(at - SHOWN + 1, this.offers.length - SHOWN));
    const window = this.offers.slice(first, first + SHOWN);
    fill(this.words, window.map((offer, place) => this._word(offer, first + place)));
    const { type, description, deprecated } = this.offers[at];
    fill(this.note, deprecated ? h("b", {}, "Deprecated. ") : null, description || type || "");
    this.editor.area.setAttribute("aria-activedescendant", `${this.id}-${at}`);
  }

  _word({ text, type, deprecated }, at) {
    const press = (event) => {
      event.preventDefault(); // the text area keeps the focus
      this._take(at);
    };
    const chosen = at === this.chosen;
    return h(
      `li${deprecated ? ".deprecated" : ""}`,
      { id: `${this.id}-${at}`, role: "option", "aria-selected": String(chosen), on: { mousedown: press } },
      h("span", {}, text),
      h("small", {}, type),
    );
  }

  _take(at) {
    const { insert } = this.offers[at];
    this.close();
    this.editor.insert(insert, this.start, this.editor.cursor);
    this.close(); // what was inserted is no reason to suggest
  }

  /** Below the cursor's line. All letters have one width here, so that the place follows from line and column. */
  _place() {
    const before = this.editor.value.slice(0, this.start).split("\n");
    const { width, height } = this._letter();
    const left = Math.min(before.at(-1).length * width, Math.max(0, this.editor.sheet.clientWidth - 300));
    this.element.style.left = `${left}px`;
    this.element.style.top = `${before.length * height + 10}px`;
    this.element.scrollIntoView({ block: "nearest" });
  }

  _letter() {
    const probe = h("span", {}, "0".repeat(100));
    this.editor.colours.append(probe);
    const width = probe.getBoundingClientRect().width / 100;
    probe.remove();
    return { width, height: parseFloat(getComputedStyle(this.editor.colours).lineHeight) };
  }
}
