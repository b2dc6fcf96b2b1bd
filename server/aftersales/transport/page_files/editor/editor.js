// A text area that is comfortable to write code in: colours, line numbers, indents, brackets, a list of completions.

import { calmly, h } from "../dom.js";
import { coloured } from "../language/colours.js";
import { CompletionList } from "./completion_list.js";
import { afterKey } from "./typing.js";

export class Editor {
  /**
   * @param {object} is
   * @param {string} is.id of the text area, for its label
   * @param {string} is.label
   * @param {(text: string) => object[]} is.tokens cuts the text into coloured pieces
   * @param {(text: string) => object[]} [is.faults] what is wrong: `{start, end, message}`
   * @param {(text: string, cursor: number) => object} [is.complete] what may stand at the cursor
   * @param {() => void} is.run on Ctrl-Enter
   * @param {() => void} [is.changed]
   */
  constructor(is) {
    this.is = is;
    this.leaving = false; // Escape was pressed: the next Tab goes on to what follows
    this.numbers = h("div.numbers", { "aria-hidden": "true" });
    this.colours = h("pre.colours", { "aria-hidden": "true" });
    this.area = h("textarea", {
      id: is.id,
      "aria-label": is.label,
      "aria-describedby": "editor-keys",
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      wrap: "off",
      on: {
        input: () => this._typed(),
        keydown: (event) => this._key(event),
        blur: () => this._blur(),
        click: () => this.list.close(),
        focus: () => (this.leaving = false),
      },
    });
    this.list = new CompletionList(this);
    this.sheet = h("div.sheet", {}, this.colours, this.area, this.list.element);
    this.element = h("div.editor", {}, h("div.scroller", { tabindex: "-1" }, this.numbers, this.sheet));
    this.check = calmly(300, () => this._check());
    this._paint();
  }

  get value() {
    return this.area.value;
  }

  set value(text) {
    this.area.value = text;
    this.list.close();
    this._paint();
    this._check();
    this.is.changed?.();
  }

  get cursor() {
    return this.area.selectionStart;
  }

  /** Puts the text there as if it had been typed, so that it can be undone. */
  insert(text, start = this.area.selectionStart, end = this.area.selectionEnd) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    // deprecated, and the one way that keeps what the reader can undo
    const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
    if (!done) {
      this.area.setRangeText(text, start, end, "end");
      this._typed();
    }
  }

  select(start, end) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
  }

  /** The schema or what else the text is held against has changed. */
  recheck() {
    this._check();
  }

  _typed() {
    this._paint();
    this.check();
    this.is.changed?.();
    if (this.is.complete) this.list.suggest();
  }

  _key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.list.close();
      return this.is.run();
    }
    if (event.key === " " && event.ctrlKey && this.is.complete) {
      event.preventDefault();
      return this.list.suggest(true);
    }
    if (this.list.key(event)) return event.preventDefault();
    if (event.key === "Escape") return (this.leaving = true);
    if (event.key === "Tab" && this.leaving) return undefined;
    if (!event.ctrlKey && !event.metaKey && !event.altKey) {
      if (!["Shift", "Tab"].includes(event.key)) this.leaving = false;
      this._edit(event);
    }
    return undefined;
  }

  _edit(event) {
    const { value, selectionStart: start, selectionEnd: end } = this.area;
    const edit = afterKey(event.key, event.shiftKey, { text: value, start, end });
    if (!edit) return;
    event.preventDefault();
    if (edit.text !== undefined) this.insert(edit.text, edit.from, edit.to);
    this.area.setSelectionRange(...edit.select);
  }

  _blur() {
    this.leaving = false;
    // a press on the list takes the focus for a moment
    setTimeout(() => this.list.close(), 150);
  }

  _paint(faults = []) {
    const text = this.value;
    const lines = text.split("\n").length;
    // the last line needs something in it to have a height
    this.colours.replaceChildren(...coloured(this.is.tokens(text), faults), "\n");
    if (this.numbers.childElementCount !== lines) {
      this.numbers.replaceChildren(...Array.from({ length: lines }, (_, at) => h("div", {}, String(at + 1))));
    }
  }

  _check() {
    const faults = this.is.faults?.(this.value) ?? [];
    this._paint(faults);
    const wrong = new Set(faults.map((fault) => this.value.slice(0, fault.start).split("\n").length));
    [...this.numbers.children].forEach((number, at) => number.classList.toggle("wrong", wrong.has(at + 1)));
    this.area.setAttribute("aria-invalid", String(faults.length > 0));
  }
}
