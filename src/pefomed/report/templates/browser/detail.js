// One item: its images, question, answers, what judges and raters said, its neighbours and its meta.
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
  if (layersOf(item).length) {
    detail.append(boxKeys(item, (name) => {
      drawDetail(item);
      detail.querySelector(`[data-boxes="${name}"]`)?.focus({ preventScroll: true });
    }));
  }
  detail.append(make("p", "question", item.question || (TITLES[item.task] || item.task).replace(":", "")));
  const answers = make("dl", "answers");
  const reference = item.reference || (item.boxes.length ? inWords(item.boxes) : ["refer", "detection"].includes(item.task) ? "no box: not in the image" : "");
  addAnswer(answers, "Reference", { text: reference }, null);
  for (const [name, title] of Object.entries(data.names)) {
    if (!(name in item.answers)) continue;
    addAnswer(answers, title, item.answers[name], item.answers[name]?.state ? iouMark(item, name) : markOf(verdictOf(item, name)));
  }
  for (const label of item.labels) addLabel(answers, label);
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
    // Boxes belong to a sample's first image.
    if (place === 0 && layersOf(item).length) view.append(overlayOf(item, image.ratio));
    stage.append(view);
  }
  return stage;
}

function addAnswer(answers, name, answer, verdict) {
  answers.append(make("dt", "", name));
  const text = answer ? answer.text : "";
  const said = make("dd", text ? "" : "blank", text || (answer ? "(empty)" : "not answered"));
  if (answer?.state) addBoxes(said, answer);
  if (answer?.values) said.append(make("small", "", answer.values.map(([title, value]) => `${title}: ${value}`).join(", ")));
  answers.append(said);
  const mark = make("dd", "verdict");
  if (verdict && answer) mark.append(verdict);
  if (answer?.cut) mark.append(make("span", "chip warn", "cut"));
  answers.append(mark);
}

function addBoxes(said, answer) {
  said.classList.add("raw");
  if (answer.boxes.length) said.append(make("small", "", inWords(answer.boxes)));
  if (answer.phrases.length > 1) {
    said.append(make("small", "", "IoU: " + answer.phrases.map(([phrase, iou]) => `${phrase} ${iou.toFixed(2)}`).join(", ")));
  }
  const chips = boxChips(answer);
  if (chips.length) {
    const row = make("span", "chips");
    row.append(...chips);
    said.append(row);
  }
}

function addLabel(answers, label) {
  answers.append(make("dt", "said", label.title));
  const text = make("dd", "said", label.text);
  if (label.reason) text.append(make("small", "", label.reason));
  const mark = make("dd", "verdict said");
  if (label.verdict !== null) mark.append(markOf(label.verdict === 1));
  answers.append(text, mark);
}

function addSiblings(item) {
  const same = byImage.get(item.images.join(" "));
  if (same.length < 2) return;
  const row = make("div", "siblings");
  row.append(make("span", "", `${same.length} on this image`));
  for (const other of same) {
    const button = make("button");
    button.type = "button";
    button.append(markOf(verdictOf(other)));
    button.title = other.question || (TITLES[other.task] || other.task).replace(":", "");
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-current", String(other === item));
    button.addEventListener("click", () => show(other));
    row.append(button);
  }
  detail.append(row);
}

function show(item) {
  if (!shown.includes(item)) {
    reset(item);
    writeAddress(item, true);
  }
  select(shown.indexOf(item), true);
}
