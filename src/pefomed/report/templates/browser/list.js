// The list of items, drawn in parts, and the choice of one of them.
const CHUNK = 60;
const TITLES = { caption: "Caption:", report: "Report:", grounding: "Caption with boxes:", identify: "What is in the box?" };

function drawMore() {
  list.parentElement.querySelector(".more")?.remove();
  // A list box holds options alone: without any it is none, and what shows more stands behind it.
  list.setAttribute("role", shown.length ? "listbox" : "group");
  if (!shown.length) list.removeAttribute("aria-activedescendant");
  const until = Math.min(drawn + CHUNK, shown.length);
  for (; drawn < until; drawn += 1) list.append(rowOf(shown[drawn], drawn));
  if (!shown.length) list.append(make("p", "more missing", "No item passes these filters."));
  if (drawn < shown.length) {
    const more = make("button", "more", `Show more (${(shown.length - drawn).toLocaleString("en")} left)`);
    more.type = "button";
    more.tabIndex = -1;
    more.addEventListener("click", drawMore);
    list.after(more);
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
  const verdict = verdictOf(item);
  const given = item.answers[first];
  const answer = given ? given.text || "(empty)" : "not answered";
  texts.append(make("b", "", item.question || `${TITLES[item.task] || item.task} ${withoutMarks(item.reference) || item.id}`));
  texts.append(make("span", "", lineOf(item, answer, verdict)));
  const level = item.labels.find((label) => label.level !== null);
  const mark = given?.state ? iouMark(item) : verdict === null && level ? levelOf(level) : markOf(verdict);
  row.append(texts, mark);
  row.addEventListener("click", () => select(place, true));
  return row;
}

function levelOf(label) {
  const mark = make("i", "verdict", String(label.level));
  mark.title = `level ${label.level} by ${label.title}`;
  return mark;
}

function lineOf(item, answer, verdict) {
  if (item.answers[first]?.state) return boxLineOf(item);
  if (data.compares) return `${item.answers[second]?.text || "(empty)"} → ${answer}`;
  return verdict === false ? `${answer} — not ${item.reference || "(empty)"}` : answer;
}

// A caption without its marks of phrases, `<p>liver</p>{0}`.
function withoutMarks(text) {
  return text.replace(/<\/?p>|\{[\d,]+\}/g, "");
}

function boxLineOf(item) {
  const { state: how, boxes, mistaken, text } = item.answers[first];
  if (data.compares) return `IoU ${[second, first].map((name) => iouOf(item, name)?.toFixed(2) ?? "none").join(" → ")}`;
  if (how === "unparsable") return `no readable box: ${text}`;
  if (how === "empty") return "(empty)";
  const parts = [`${boxes.length} of ${item.boxes.length} box${item.boxes.length === 1 ? "" : "es"}`];
  if (mistaken) parts.push("left and right mistaken");
  if (how === "repaired") parts.push("repaired");
  return parts.join(", ");
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
  if (wanted && shown[place]) writeAddress(shown[place], false);
  if (wanted && matchMedia("(max-width: 860px)").matches) detail.scrollIntoView({ block: "start" });
}
