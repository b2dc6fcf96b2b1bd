// Begins: reads what the server has, makes the three views, and shows the one that the address names.

import { file } from "./asking.js";
import { Board } from "./board/view.js";
import { byId, fill, h } from "./dom.js";
import { Explorer } from "./explorer/view.js";
import { marks } from "./language/marks.js";
import { load } from "./language/schema.js";
import { library } from "./operations/library.js";
import { Workbench } from "./operations/view.js";
import { offer, person } from "./people.js";

const VIEWS = ["board", "operations", "schema"];

async function begin() {
  const [start, operations, sdl] = await Promise.all([
    file("start.json").then((answer) => answer.json()),
    library(),
    file("schema.graphql").then((answer) => answer.text()),
  ]);
  const known = { schema: null };
  const marked = marks(sdl);
  const schema = () => known.schema;
  const explorer = new Explorer(() => marked);
  const workbench = new Workbench({ library: operations, orders: start.orders, schema });
  const toEditor = (operation, ready) => {
    location.hash = "operations";
    workbench.choose(operation, ready);
    workbench.variables.area.focus();
  };
  const go = (number) => (location.hash = number ? `board/${number}` : "board");
  const board = new Board({ schema, library: operations, toEditor, go });
  const elements = { board: board.element, operations: workbench.element, schema: explorer.element };
  fill(byId("views"), VIEWS.map((name) => h("div", { id: `view-${name}`, hidden: true }, elements[name])));

  /** Whoever asks may read another schema, or none. */
  const learn = async () => {
    try {
      known.schema = await load(person.token);
      explorer.show(known.schema);
    } catch (error) {
      known.schema = null;
      explorer.missing(error.message);
    }
    workbench.schemaChanged();
  };
  const another = async () => {
    const boarded = board.personChanged();
    await learn();
    workbench.personChanged();
    await boarded;
  };
  addEventListener("hashchange", () => route(board));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names a view, and stays
    byId("views").focus();
  });
  offer(start.people);
  person.addEventListener("changed", another);
  route(board);
  await another();
}

function route(board) {
  const [name, number] = location.hash.slice(1).split("/");
  const view = VIEWS.includes(name) ? name : "board";
  for (const one of VIEWS) byId(`view-${one}`).hidden = one !== view;
  for (const link of document.querySelectorAll("#tabs a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view[0].toUpperCase()}${view.slice(1)} · aftersales`;
  if (view === "board") board.open(number ? decodeURIComponent(number) : null);
}

begin().catch((error) => {
  fill(byId("views"), h("p.empty", { role: "alert" }, error.message));
  throw error;
});
