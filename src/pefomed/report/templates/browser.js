"use strict";
(() => {
  const data = JSON.parse(document.getElementById("browser-data").textContent);
  const root = document.getElementById("browser");
  if (!root) return;
  const CHUNK = 60;
  const at = (id) => document.getElementById(id);
  const list = at("list"), detail = at("detail");
  const state = { verdict: "all", metric: 0, dataset: "", key: "", value: "", search: "" };
  let shown = [], drawn = 0, current = -1;

  const byImage = new Map();
  data.items.forEach((item, index) => {
    item.index = index;
    // Everything a reader may search for, lower-cased once.
    item.text = [item.id, item.question, item.reference, item.prediction?.text, item.blind?.text].join("\n").toLowerCase();
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

  function verdictOf(answer) {
    return answer && answer.verdicts ? answer.verdicts[state.metric] === 1 : null;
  }

  function markOf(verdict) {
    const name = verdict === null ? "none" : verdict ? "right" : "wrong";
    const mark = make("i", "verdict " + name, { none: "·", right: "✓", wrong: "✗" }[name]);
    mark.title = { none: "no verdict", right: "right", wrong: "wrong" }[name];
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.title);
    return mark;
  }

  const KEEPS = {
    all: () => true,
    right: (item) => verdictOf(item.prediction) === true,
    wrong: (item) => verdictOf(item.prediction) === false,
    helped: (item) => verdictOf(item.prediction) === true && verdictOf(item.blind) === false,
    misled: (item) => verdictOf(item.prediction) === false && verdictOf(item.blind) === true,
  };

  function inGroup(item) {
    if (!state.key || !state.value) return true;
    return state.key === "task" ? item.task === state.value : (item.meta[state.key] || []).includes(state.value);
  }

  function apply(keep) {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = data.items.filter((item) =>
      (state.dataset === "" || String(item.dataset) === state.dataset) && inGroup(item) &&
      words.every((word) => item.text.includes(word)));
    shown = kept.filter(KEEPS[state.verdict]);
    const judged = kept.filter((item) => verdictOf(item.prediction) !== null);
    const right = judged.filter(KEEPS.right).length;
    const filtered = state.verdict !== "all" || kept.length < data.items.length;
    at("count").textContent = `${shown.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")} items` +
      (judged.length && state.verdict === "all" ? `, ${(100 * right / judged.length).toFixed(1)} % right` : "");
    at("clear").hidden = !filtered;
    list.replaceChildren();
    list.scrollTop = 0;
    drawn = 0;
    drawMore();
    const place = keep ? shown.indexOf(keep) : 0;
    select(shown.length ? Math.max(place, 0) : -1, false);
  }

  function drawMore() {
    list.querySelector(".more")?.remove();
    const until = Math.min(drawn + CHUNK, shown.length);
    for (; drawn < until; drawn += 1) list.append(rowOf(shown[drawn], drawn));
    if (!shown.length) list.append(make("p", "more missing", "No item passes these filters."));
    if (drawn < shown.length) {
      const more = make("button", "more", `Show more (${(shown.length - drawn).toLocaleString("en")} left)`);
      more.type = "button";
      more.tabIndex = -1;
      more.addEventListener("click", drawMore);
      list.append(more);
    }
  }

  function rowOf(item, place) {
    const row = make("div", "item");
    row.id = "item-" + place;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.setAttribute("aria-setsize", shown.length);
    row.setAttribute("aria-posinset", place + 1);
    row.append(pictureOf(item.images[0]));
    const texts = make("div");
    const verdict = verdictOf(item.prediction);
    const answer = item.prediction ? item.prediction.text || "(empty)" : "not answered";
    texts.append(make("b", "", item.question || `${item.task}: ${item.id}`));
    texts.append(make("span", "", verdict === false ? `${answer} — not ${item.reference || "(empty)"}` : answer));
    row.append(texts, markOf(verdict));
    row.addEventListener("click", () => select(place, true));
    return row;
  }

  function pictureOf(number) {
    const image = data.images[number];
    if (!image.uri) return make("div", "none", "?");
    const picture = make("img");
    picture.src = image.uri;
    picture.alt = image.name;
    picture.decoding = "async";
    return picture;
  }

  function select(place, wanted) {
    list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    current = place;
    while (place >= drawn && drawn < shown.length) drawMore();
    const row = at("item-" + place);
    if (row) {
      row.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", row.id);
      const above = row.offsetTop - list.offsetTop;
      if (above < list.scrollTop) list.scrollTop = above;
      else if (above + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = above + row.offsetHeight - list.clientHeight;
    }
    drawDetail(shown[place]);
    if (wanted && shown[place]) history.replaceState(null, "", "#item=" + encodeURIComponent(shown[place].id));
    if (wanted && matchMedia("(max-width: 860px)").matches) detail.scrollIntoView({ block: "start" });
  }

  function drawDetail(item) {
    detail.replaceChildren();
    if (!item) return;
    const pager = make("div", "pager");
    for (const [step, sign, name] of [[-1, "‹", "Previous item"], [0], [1, "›", "Next item"]]) {
      if (!step) {
        pager.append(make("span", "", `${(current + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`));
        continue;
      }
      const button = make("button", "", sign);
      button.type = "button";
      button.setAttribute("aria-label", name);
      button.disabled = !shown[current + step];
      button.addEventListener("click", () => {
        select(current + step, true);
        detail.querySelector(`[aria-label="${name}"]`)?.focus({ preventScroll: true });
      });
      pager.append(button);
    }
    detail.append(pager, imagesOf(item));
    detail.append(make("p", "question", item.question || { caption: "Caption", report: "Report" }[item.task] || item.task));
    const answers = make("dl", "answers");
    addAnswer(answers, "Reference", { text: item.reference }, false);
    addAnswer(answers, "Model", item.prediction, true);
    if (item.blind) addAnswer(answers, "Blind", item.blind, true);
    detail.append(answers);
    addSiblings(item);
    const meta = make("div", "meta");
    for (const [key, values] of Object.entries(item.meta)) {
      meta.append(make("span", "chip", `${key.replaceAll("_", " ")}: ${values.join(", ")}`));
    }
    meta.append(make("span", "chip", item.id));
    detail.append(meta);
  }

  function imagesOf(item) {
    const stage = make("div", "stagebox");
    for (const [place, number] of item.images.entries()) {
      const image = data.images[number];
      if (!image.uri) {
        stage.append(make("div", "none", image.problem || image.name));
        continue;
      }
      const view = make("div", "view");
      // The view is exactly as large as the picture, so that boxes lie where they belong.
      view.style.width = `calc(min(340px, 50vh) * ${image.ratio})`;
      view.style.aspectRatio = image.ratio;
      view.append(pictureOf(number));
      // Boxes belong to a sample's only image.
      if (place === 0 && item.images.length === 1) item.boxes.forEach((box) => view.append(boxOf(box)));
      stage.append(view);
    }
    return stage;
  }

  function boxOf([x0, y0, x1, y1]) {
    const box = make("span", "box");
    box.title = "reference box";
    Object.assign(box.style, {
      left: 100 * x0 + "%", top: 100 * y0 + "%", width: 100 * (x1 - x0) + "%", height: 100 * (y1 - y0) + "%",
    });
    return box;
  }

  function addAnswer(answers, name, answer, judged) {
    answers.append(make("dt", "", name));
    const text = answer ? answer.text : "";
    answers.append(make("dd", text ? "" : "blank", text || (answer ? "(empty)" : "not answered")));
    const mark = make("dd", "verdict");
    if (judged && answer) mark.append(markOf(verdictOf(answer)));
    if (answer?.cut) mark.append(make("span", "chip warn", "cut"));
    answers.append(mark);
  }

  function addSiblings(item) {
    const same = byImage.get(item.images.join(" "));
    if (same.length < 2) return;
    const row = make("div", "siblings");
    row.append(make("span", "", `${same.length} on this image`));
    for (const other of same) {
      const button = make("button");
      button.type = "button";
      button.append(markOf(verdictOf(other.prediction)));
      button.title = other.question || other.task;
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-current", String(other === item));
      button.addEventListener("click", () => show(other));
      row.append(button);
    }
    detail.append(row);
  }

  function show(item) {
    if (!shown.includes(item)) reset(item);
    select(shown.indexOf(item), true);
  }

  function reset(keep) {
    Object.assign(state, { verdict: "all", dataset: "", key: "", value: "", search: "" });
    fillValues();
    showState();
    apply(keep);
  }

  function showState() {
    for (const name of ["metric", "dataset", "key", "value", "search"]) at(name).value = state[name];
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
    options(at("metric"), data.metrics.map((title, index) => [index, title]));
    options(at("dataset"), [["", "all"], ...data.datasets.map((title, index) => [index, title])]);
    options(at("key"), [["", "none"], ...Object.keys(data.filters).map((key) => [key, key.replaceAll("_", " ")])]);
    fillValues();
    at("dataset").parentElement.hidden = data.datasets.length < 2;
    at("key").parentElement.hidden = at("value").parentElement.hidden = !Object.keys(data.filters).length;
    const judged = data.items.some((item) => item.prediction?.verdicts);
    at("verdict").hidden = at("metric").parentElement.hidden = !judged;
    at("verdict").addEventListener("click", (event) => {
      if (!event.target.dataset.verdict) return;
      state.verdict = event.target.dataset.verdict;
      showState();
      apply(shown[current]);
    });
    for (const name of ["metric", "dataset", "key", "value", "search"]) {
      at(name).addEventListener("input", () => {
        state[name] = name === "metric" ? Number(at(name).value) : at(name).value;
        if (name === "key") {
          state.value = "";
          fillValues();
        }
        apply(shown[current]);
      });
    }
    at("clear").addEventListener("click", () => reset(shown[current]));
    list.addEventListener("scroll", () => {
      if (list.scrollTop + list.clientHeight > list.scrollHeight - 300 && drawn < shown.length) drawMore();
    });
    root.addEventListener("keydown", onKey);
    for (const link of document.querySelectorAll("a[data-filter]")) link.addEventListener("click", () => follow(link.dataset));
  }

  function follow({ dataset, key, value }) {
    const number = data.datasets.indexOf(dataset);
    Object.assign(state, { verdict: "all", search: "", dataset: data.datasets.length > 1 && number >= 0 ? String(number) : "", key: key in data.filters ? key : "" });
    fillValues();
    state.value = state.key ? value : "";
    showState();
    apply(null);
  }

  function onKey(event) {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(list.clientHeight / 70));
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length };
    if (!(event.key in steps) || !shown.length) return;
    event.preventDefault();
    select(Math.min(Math.max(current + steps[event.key], 0), shown.length - 1), false);
  }

  setUp();
  root.hidden = false;
  const asked = /^#item=(.+)$/.exec(location.hash);
  apply(asked ? data.items.find((item) => item.id === decodeURIComponent(asked[1])) : null);
  if (asked) root.scrollIntoView();
})();
