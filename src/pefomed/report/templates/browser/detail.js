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
  detail.append(make("p", "question", item.question || { caption: "Caption", report: "Report" }[item.task] || item.task));
  const answers = make("dl", "answers");
  addAnswer(answers, "Reference", { text: item.reference }, null);
  for (const [name, title] of Object.entries(data.names)) {
    if (name in item.answers) addAnswer(answers, title, item.answers[name], markOf(verdictOf(item, name)));
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

function addAnswer(answers, name, answer, verdict) {
  answers.append(make("dt", "", name));
  const text = answer ? answer.text : "";
  answers.append(make("dd", text ? "" : "blank", text || (answer ? "(empty)" : "not answered")));
  const mark = make("dd", "verdict");
  if (verdict && answer) mark.append(verdict);
  if (answer?.cut) mark.append(make("span", "chip warn", "cut"));
  answers.append(mark);
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
