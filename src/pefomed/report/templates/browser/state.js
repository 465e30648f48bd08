// What is shown, and which items pass the filters.
const data = JSON.parse(document.getElementById("browser-data").textContent);
const root = document.getElementById("browser");
const at = (id) => document.getElementById(id);
const list = at("list"), detail = at("detail");
const [first, second] = Object.keys(data.names);
const FIELDS = ["metric", "dataset", "key", "value", "low", "high", "sides", "sort", "search"];
const CLEAR = { verdict: "all", dataset: "", key: "", value: "", low: "", high: "", sides: "", search: "" };
const state = { ...CLEAR, verdict: data.start || "all", metric: 0, sort: "" };
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
// A text takes its base direction from its own first letter, as Arabic and Hebrew need it.
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) Object.assign(element, { textContent: text, dir: "auto" });
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

function meanIou() {
  const found = shown.map((item) => iouOf(item)).filter((iou) => iou !== null);
  return found.length ? `, mean IoU ${(found.reduce((sum, iou) => sum + iou, 0) / found.length).toFixed(3)}` : "";
}

function inGroup(item) {
  if (!state.key || !state.value) return true;
  if (state.key === "task") return item.task === state.value;
  return (item.meta[state.key] || item.marks[state.key] || []).includes(state.value);
}

const SIDES = {
  "": () => true,
  mistaken: (item) => item.answers[first]?.mistaken === true,
  right: (item) => item.answers[first]?.mistaken === false,
};

function inRange(item) {
  if (state.low === "" && state.high === "") return true;
  const iou = iouOf(item);
  return iou !== null && iou >= Number(state.low || 0) && iou <= Number(state.high || 1);
}

// What items are sorted by; those without it come last, the others in the data's order where equal.
const SORTS = {
  iou: (item) => iouOf(item),
  change: (item) => iouOf(item) === null || iouOf(item, second) === null ? null : iouOf(item) - iouOf(item, second),
};

function sorted(items) {
  const [name, direction] = state.sort.split(" ");
  if (!name) return items;
  const sign = direction === "down" ? -1 : 1;
  const valued = items.map((item) => [item, SORTS[name](item)]);
  return valued.sort(([, a], [, b]) => (a === null) - (b === null) || sign * (a - b)).map(([item]) => item);
}

function apply(keep) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = data.items.filter((item) =>
    (state.dataset === "" || String(item.dataset) === state.dataset) && inGroup(item) &&
    inRange(item) && SIDES[state.sides](item) && words.every((word) => item.text.includes(word)));
  shown = sorted(kept.filter(KEEPS[state.verdict]));
  const judged = kept.filter((item) => verdictOf(item) !== null);
  const right = judged.filter(KEEPS.right).length;
  const unsaid = judged.length < kept.length ? `${judged.length.toLocaleString("en")} with a verdict, of these ` : "";
  const filtered = state.verdict !== "all" || kept.length < data.items.length;
  at("count").textContent = `${shown.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")} items` +
    (judged.length && state.verdict === "all" ? `, ${unsaid}${(100 * right / judged.length).toFixed(1)} % right${data.compares ? " in " + data.names[first] : ""}` : "") + meanIou();
  at("clear").hidden = !filtered;
  list.replaceChildren();
  list.scrollTop = 0;
  drawn = 0;
  drawMore();
  const place = keep ? shown.indexOf(keep) : 0;
  select(shown.length ? Math.max(place, 0) : -1, false);
}
