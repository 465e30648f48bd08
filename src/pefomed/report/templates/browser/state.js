// What is shown, and which items pass the filters.
const data = JSON.parse(document.getElementById("browser-data").textContent);
const root = document.getElementById("browser");
const at = (id) => document.getElementById(id);
const list = at("list"), detail = at("detail");
const [first, second] = Object.keys(data.names);
const FIELDS = ["metric", "dataset", "key", "value", "search"];
const state = { verdict: data.start || "all", metric: 0, dataset: "", key: "", value: "", search: "" };
let shown = [], drawn = 0, current = -1;

const byImage = new Map();
data.items.forEach((item) => {
  // Everything a reader may search for, lower-cased once.
  item.text = [item.id, item.question, item.reference, ...Object.values(item.answers).map((answer) => answer?.text)].join("\n").toLowerCase();
  const key = item.images.join(" ");
  if (!byImage.has(key)) byImage.set(key, []);
  byImage.get(key).push(item);
});

// Texts of questions and answers enter the page through textContent only.
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// Right, wrong, or null where nobody says; `name` is whose answer.
function verdictOf(item, name = first) {
  const verdict = item.answers[name]?.verdicts?.[state.metric];
  return verdict === undefined || verdict === null ? null : verdict === 1;
}

function markOf(verdict) {
  const name = verdict === null ? "unsaid" : verdict ? "right" : "wrong";
  const mark = make("i", "verdict " + name, { unsaid: "·", right: "✓", wrong: "✗" }[name]);
  mark.title = { unsaid: "no verdict", right: "right", wrong: "wrong" }[name];
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", mark.title);
  return mark;
}

const KEEPS = {
  all: () => true,
  right: (item) => verdictOf(item) === true,
  wrong: (item) => verdictOf(item) === false,
  gained: (item) => verdictOf(item) === true && verdictOf(item, second) === false,
  lost: (item) => verdictOf(item) === false && verdictOf(item, second) === true,
  changed: (item) => verdictOf(item) !== verdictOf(item, second),
};

function inGroup(item) {
  if (!state.key || !state.value) return true;
  if (state.key === "task") return item.task === state.value;
  return (item.meta[state.key] || item.marks[state.key] || []).includes(state.value);
}

function apply(keep) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = data.items.filter((item) =>
    (state.dataset === "" || String(item.dataset) === state.dataset) && inGroup(item) &&
    words.every((word) => item.text.includes(word)));
  shown = kept.filter(KEEPS[state.verdict]);
  const judged = kept.filter((item) => verdictOf(item) !== null);
  const right = judged.filter(KEEPS.right).length;
  const filtered = state.verdict !== "all" || kept.length < data.items.length;
  at("count").textContent = `${shown.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")} items` +
    (judged.length && state.verdict === "all" ? `, ${(100 * right / judged.length).toFixed(1)} % right${data.compares ? " in " + data.names[first] : ""}` : "");
  at("clear").hidden = !filtered;
  list.replaceChildren();
  list.scrollTop = 0;
  drawn = 0;
  drawMore();
  const place = keep ? shown.indexOf(keep) : 0;
  select(shown.length ? Math.max(place, 0) : -1, false);
}
