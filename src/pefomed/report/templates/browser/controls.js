// Filters, keys and links, and the first view.
const TYPED = ["search", "low", "high"];

function reset(keep) {
  Object.assign(state, CLEAR);
  fillValues();
  showState();
  apply(keep);
}

function showState() {
  for (const name of FIELDS) at(name).value = state[name];
  for (const button of at("verdict").children) {
    button.setAttribute("aria-pressed", String(button.dataset.verdict === state.verdict));
  }
}

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => Object.assign(make("option", "", text), { value })));
}

function fillValues() {
  options(at("value"), [["", "all"], ...(data.filters[state.key] || []).map((value) => [value, value])]);
  at("value").disabled = !state.key;
}

function setUp() {
  at("verdict").append(...Object.entries(data.segments).map(([name, [text, title]]) => {
    const button = Object.assign(make("button", "", text), { type: "button", title });
    button.dataset.verdict = name;
    return button;
  }));
  options(at("metric"), data.metrics.map((title, index) => [index, title]));
  options(at("dataset"), [["", "all"], ...data.datasets.map((title, index) => [index, title])]);
  options(at("key"), [["", "none"], ...Object.keys(data.filters).map((key) => [key, key.replaceAll("_", " ")])]);
  fillValues();
  at("dataset").parentElement.hidden = data.datasets.length < 2;
  at("key").parentElement.hidden = at("value").parentElement.hidden = !Object.keys(data.filters).length;
  const boxed = data.items.some((item) => Object.values(item.answers).some((answer) => answer?.state));
  for (const name of ["low", "sides", "sort"]) at(name).closest("label").hidden = !boxed;
  if (data.compares) {
    at("sort").append(...[["change up", "largest loss of IoU first"], ["change down", "largest gain of IoU first"]]
      .map(([value, text]) => Object.assign(make("option", "", text), { value })));
  }
  const judged = data.items.some((item) => Object.values(item.answers).some((answer) => answer?.verdicts));
  at("verdict").hidden = at("metric").parentElement.hidden = !judged;
  at("verdict").addEventListener("click", (event) => {
    if (!event.target.dataset.verdict) return;
    state.verdict = event.target.dataset.verdict;
    showState();
    apply(shown[current]);
    writeAddress(null, true);
  });
  for (const name of FIELDS) {
    at(name).addEventListener("input", () => {
      state[name] = name === "metric" ? Number(at(name).value) : at(name).value;
      if (name === "key") {
        state.value = "";
        fillValues();
      }
      apply(shown[current]);
      writeAddress(null, !TYPED.includes(name));
    });
  }
  at("clear").addEventListener("click", () => {
    reset(shown[current]);
    writeAddress(null, true);
  });
  list.addEventListener("scroll", () => {
    if (list.scrollTop + list.clientHeight > list.scrollHeight - 300 && drawn < shown.length) drawMore();
  });
  root.addEventListener("keydown", onKey);
  for (const link of document.querySelectorAll("a[data-filter]")) link.addEventListener("click", (event) => {
    event.preventDefault();
    follow(link.dataset);
    root.closest("section").scrollIntoView();
  });
  const byId = new Map(data.items.map((item) => [item.id, item]));
  for (const point of document.querySelectorAll(".scatter [data-item]")) {
    point.addEventListener("click", () => {
      show(byId.get(point.dataset.item));
      root.scrollIntoView();
    });
  }
}

function follow({ dataset, key, value }) {
  const number = data.datasets.indexOf(dataset);
  Object.assign(state, CLEAR, { dataset: data.datasets.length > 1 && number >= 0 ? String(number) : "", key: key in data.filters ? key : "" });
  fillValues();
  state.value = state.key ? value : "";
  showState();
  apply(null);
  writeAddress(null, true);
}

// Shows the view that the address holds.
function recall() {
  const item = readAddress();
  fillValues();
  showState();
  apply(item);
}

function onKey(event) {
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.altKey || event.ctrlKey || event.metaKey) return;
  const page = Math.max(1, Math.floor(list.clientHeight / 70));
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length };
  if (!(event.key in steps) || !shown.length) return;
  event.preventDefault();
  select(Math.min(Math.max(current + steps[event.key], 0), shown.length - 1), false);
}

if (root) {
  setUp();
  root.hidden = false;
  recall();
  if (isView()) root.scrollIntoView();
  // Also where an address is typed. A section's name keeps the view as it is.
  window.addEventListener("popstate", () => {
    if (isView() || !location.hash) recall();
  });
}
