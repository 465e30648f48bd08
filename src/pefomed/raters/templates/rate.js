// The rating page: shows one item after the other, and says at every moment whether all is saved.

import { Queue } from "./queue.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const place = location.pathname.replace(/\/$/, "");
const vqa = document.body.dataset.task === "vqa";
const buttons = [...document.querySelectorAll("#labels button")];
const FRESH = { label: null, cannot: false, comment: "", revision: 0 };

let items = [], states = [], at = 0, typing = null, typed = false, advance = null;

// What answers at this address need not be this session: another may have taken its port, or a proxy stands before it.
const session = document.querySelector("meta[name=session]").content;
const ours = (answer) => { if (answer?.session !== session) throw new TypeError("not this session"); return answer; };
const viewer = new Viewer($("viewer"));
const queue = new Queue({ place, key: document.querySelector("meta[name=key]").content, session, settled, status });

const done = (state) => state.label !== null || state.cannot;
const url = (number, k) => `${place}/items/${number}/images/${k}`;
const urls = (index) => (items[index] ? Array.from({ length: items[index].images }, (_, k) => url(index + 1, k)) : []);

start();

async function start() {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const answer = ours(await (await fetch(`${place}/items`)).json());
      [items, states] = [answer.items, answer.states];
      break;
    } catch {
      status("The server cannot be reached. Trying again …", "failed");
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  $("total").textContent = items.length;
  $("progress").setAttribute("aria-valuemax", items.length);
  $("cells").replaceChildren(...items.map((_, index) => {
    const cell = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1 });
    cell.addEventListener("click", () => show(index));
    return cell;
  }));
  status("Saved", "saved");
  queue.send(); // what an earlier visit could not send
  const first = states.findIndex((state) => !done(state));
  show(first < 0 ? 0 : first);
  if (queue.damaged) notice(`What an earlier visit left in this browser is damaged (${queue.damaged}): check the items that are open.`);
  if (!states.some(done)) explain();
}

function show(index) {
  leaveComment();
  clearTimeout(advance);
  at = Math.min(Math.max(index, 0), items.length - 1);
  const item = items[at];
  $("number").textContent = at + 1;
  const parts = vqa
    ? [["question", "Question", item.question], ["text", "Reference", item.texts[0]], ["text judged", "Answer to judge", item.texts[1]]]
    : [["text", "Text A", item.texts[0]], ["text", "Text B", item.texts[1]]];
  $("texts").replaceChildren(...parts.map(([kind, name, text]) => {
    const box = document.createElement("div"), head = document.createElement("h2"), body = document.createElement("p");
    box.className = kind;
    head.textContent = name;
    body.dir = "auto";
    body.textContent = text.trim() ? text : "(no text)";
    body.classList.toggle("empty", !text.trim());
    box.append(head, body);
    return box;
  }));
  notice("");
  viewer.show(urls(at));
  viewer.keep([at, at + 1, at + 2, at - 1].flatMap(urls));
  document.querySelector(".ask").scrollTop = 0;
  if (matchMedia("(max-width: 860px)").matches) scrollTo(0, 0);
  paint();
}

function paint() {
  const state = states[at];
  for (const button of buttons) {
    const pressed = "cannot" in button.dataset ? state.cannot : state.label === Number(button.dataset.label);
    button.setAttribute("aria-pressed", pressed);
  }
  if (document.activeElement !== $("comment")) $("comment").value = state.comment;
  const rated = states.filter(done).length;
  $("rated").textContent = rated;
  $("progress").setAttribute("aria-valuenow", rated);
  $("progress").firstElementChild.style.width = `${(100 * rated) / items.length}%`;
  [...$("cells").children].forEach((cell, index) => {
    const said = states[index];
    cell.className = said.cannot ? "cannot" : done(said) ? "done" : "";
    const name = `Item ${index + 1}: ${said.cannot ? "cannot judge" : done(said) ? "rated" : "open"}`;
    cell.title = name;
    cell.setAttribute("aria-label", name);
    if (index === at) { cell.setAttribute("aria-current", "true"); centre(cell); } else cell.removeAttribute("aria-current");
  });
  $("back").disabled = at === 0;
  $("next").disabled = at === items.length - 1;
}

function centre(cell) {
  const strip = $("cells");
  strip.scrollLeft = cell.offsetLeft - strip.offsetLeft - strip.clientWidth / 2;
}

function change(index, changed) {
  const before = states[index];
  const { label, cannot, comment } = { ...before, ...changed };
  if (label === before.label && cannot === before.cannot && comment === before.comment) return;
  states[index] = { label, cannot, comment, revision: before.revision };
  queue.add(`items/${index + 1}`, index + 1, { label, cannot, comment, revision: before.revision }, before);
  paint();
}

function rate(changed) {
  leaveComment();
  notice("");
  const index = at, all = states.every(done);
  change(index, changed);
  if (changed.cannot) {
    $("comment").focus();
    return;
  }
  // A moment to see what was pressed.
  clearTimeout(advance);
  if (states.every(done)) { if (!all) finish(); } else advance = setTimeout(() => { if (at === index) next(); }, 220);
}

async function finish() {
  while (queue.busy) await new Promise((resolve) => setTimeout(resolve, 200));
  if (states.every(done) && !$("done").open) $("done").showModal();
}

function next() {
  for (let step = 1; step <= items.length; step++) {
    const index = (at + step) % items.length;
    if (!done(states[index])) return show(index);
  }
  return show(at + 1);
}

function undo() {
  leaveComment();
  clearTimeout(advance);
  const unsent = queue.withdraw();
  if (unsent) {
    states[unsent.number - 1] = unsent.before;
    show(unsent.number - 1);
    if (!queue.busy) queue.report();
    return;
  }
  queue.add("undo", null, {}, null);
}

// Comments are saved when the rater pauses, leaves the field or goes on; only what they typed themselves.
function leaveComment() {
  clearTimeout(typing);
  if (!typed) return;
  typed = false;
  const comment = $("comment").value.trim();
  if (comment !== states[at].comment) change(at, { comment });
}

function settled(entry, answer) {
  if (answer.refused !== undefined) {
    // What an earlier visit left was never shown.
    if (entry.number && entry.known && !queue.waiting(entry.number)) states[entry.number - 1] = entry.before ?? FRESH;
  } else if (answer.overtaken) {
    notice("This item had been changed in another tab; your latest choice counts.");
    return;
  } else if (answer.number === null) {
    notice("There is nothing to undo.");
  } else if (!queue.waiting(answer.number)) {
    states[answer.number - 1] = answer.state;
    if (answer.conflict) notice(`Item ${answer.number} was changed in another tab in the meantime; that change was kept. Rate it again to replace it.`);
    else if (entry.path === "undo") show(answer.number - 1);
  } else {
    // Later changes of this item are still on their way: only their ground moves.
    states[answer.number - 1] = { ...states[answer.number - 1], revision: answer.state.revision };
  }
  if (items.length) paint();
}

function explain() {
  $("about").showModal();
  $("about").scrollTop = 0; // its button has the focus, and stands at the end
}

function status(text, kind) {
  $("saved").textContent = text;
  $("saved").dataset.kind = kind;
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

// What another tab or another device saved meanwhile.
async function refresh() {
  if (document.hidden || !items.length || queue.busy) return;
  try {
    const answer = ours(await (await fetch(`${place}/states`)).json());
    if (queue.busy) return;
    answer.states.forEach((state, index) => { if (state.revision >= states[index].revision) states[index] = state; });
    paint();
  } catch { /* the next change will tell */ }
}

document.addEventListener("visibilitychange", refresh);
addEventListener("focus", refresh);
setInterval(refresh, 15000);
addEventListener("pagehide", leaveComment);

for (const button of buttons) {
  button.addEventListener("click", () => {
    rate("cannot" in button.dataset ? { label: null, cannot: true } : { label: Number(button.dataset.label), cannot: false });
  });
}
$("undo").addEventListener("click", undo);
$("back").addEventListener("click", () => show(at - 1));
$("next").addEventListener("click", () => show(at + 1));
$("open").addEventListener("click", next);
$("help").addEventListener("click", explain);
$("saved").addEventListener("click", () => queue.hurry());
$("comment").addEventListener("input", () => { typed = true; clearTimeout(typing); typing = setTimeout(leaveComment, 900); });
$("comment").addEventListener("blur", leaveComment);

const KEYS = {
  u: undo,
  c: () => $("comment").focus(),
  g: next,
  ArrowLeft: () => show(at - 1),
  ArrowRight: () => show(at + 1),
  "+": () => viewer.use("in"),
  "=": () => viewer.use("in"),
  "-": () => viewer.use("out"),
  f: () => viewer.use("fit"),
  w: () => viewer.use("window"),
  i: () => viewer.use("invert"),
  r: () => viewer.use("reset"),
  s: () => viewer.use("next"),
  "?": explain,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]") || !items.length) return;
  if (event.target === $("comment")) {
    if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
      event.preventDefault();
      $("comment").blur();
      if (event.key === "Enter" && states[at].cannot) { if (states.every(done)) finish(); else next(); }
    }
    return;
  }
  if (event.target.matches?.("input[type=range]") && event.key.startsWith("Arrow")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = buttons.find((one) => one.dataset.keys.includes(key));
  const action = key.length === 1 && button ? () => button.click() : KEYS[key];
  if (!action) return;
  event.preventDefault();
  action();
});
