// Boxes on an image: each system's with a stroke of its own, told apart without colour, shown or hidden.
const SVG = "http://www.w3.org/2000/svg";
const REFERENCE = "reference";
const STROKES = { [REFERENCE]: "reference", [first]: "first", [second]: "second" };
// The second system's boxes are there on demand, but two runs are there to be compared.
const hidden = new Set(data.compares || !second ? [] : [second]);

function draw(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

// Name, title and boxes of everything that has boxes on the item's image.
function layersOf(item) {
  const own = { vqa: "Box", identify: "Box asked about" }[item.task] || "Reference";
  const layers = [[REFERENCE, own, item.boxes]];
  for (const [name, title] of Object.entries(data.names)) layers.push([name, title, item.answers[name]?.boxes || []]);
  return layers.filter(([name, , boxes]) => boxes.length || item.answers[name]?.state);
}

function overlayOf(item, ratio) {
  const overlay = draw("svg", { class: "boxes", viewBox: `0 0 ${1000 * ratio} 1000`, role: "img" });
  const said = [];
  for (const [name, title, boxes] of layersOf(item).reverse()) {
    if (hidden.has(name)) continue;
    said.unshift(`${title}: ${boxes.length}`);
    boxes.forEach(([x0, y0, x1, y1, phrase], index) => {
      const place = { x: 1000 * ratio * x0, y: 1000 * y0, width: 1000 * ratio * (x1 - x0), height: 1000 * (y1 - y0) };
      const box = draw("g", { class: "boxgroup " + STROKES[name] });
      const about = [title, phrase || (boxes.length > 1 ? `${index + 1} of ${boxes.length}` : "")].filter(Boolean).join(": ");
      box.append(draw("rect", { class: "halo", ...place }), draw("rect", { class: "box", ...place }), draw("title", {}, about));
      const below = name === REFERENCE;
      if (phrase) box.append(draw("text", { x: place.x, y: below ? place.y : place.y + place.height, dx: ".2em", dy: below ? "1.1em" : "-.4em" }, phrase));
      overlay.append(box);
    });
  }
  overlay.setAttribute("aria-label", "boxes; " + said.join(", "));
  // The drawing is 1000 units high whatever the image's size on the screen, but its text is to be read.
  new ResizeObserver(() => {
    if (overlay.clientHeight) overlay.style.setProperty("--unit", `${1000 / overlay.clientHeight}`);
  }).observe(overlay);
  return overlay;
}

// A button for each kind of box that shows its stroke and takes it off the image.
function boxKeys(item, redraw) {
  const row = make("div", "boxkeys");
  for (const [name, title, boxes] of layersOf(item)) {
    const button = make("button");
    button.type = "button";
    button.dataset.boxes = name;
    button.setAttribute("aria-pressed", String(!hidden.has(name)));
    button.title = hidden.has(name) ? "show these boxes" : "hide these boxes";
    const sample = draw("svg", { class: "boxes", viewBox: "0 0 26 14", "aria-hidden": "true" });
    const stroke = draw("g", { class: "boxgroup " + STROKES[name] });
    const line = { x: 2, y: 2, width: 22, height: 10 };
    stroke.append(draw("rect", { class: "halo", ...line }), draw("rect", { class: "box", ...line }));
    sample.append(stroke);
    button.append(sample, `${title}${boxes.length === 1 ? "" : boxes.length ? ` (${boxes.length})` : ": none"}`);
    button.addEventListener("click", () => {
      if (!hidden.delete(name)) hidden.add(name);
      redraw(name);
    });
    row.append(button);
  }
  return row;
}

function iouOf(item, name = first) {
  return item.answers[name]?.iou ?? null;
}

function iouMark(item, name = first) {
  const iou = iouOf(item, name);
  const verdict = verdictOf(item, name);
  const mark = make("i", `verdict iou ${verdict === null ? "" : verdict ? "right" : "wrong"}`, iou === null ? "·" : iou.toFixed(2));
  mark.title = iou === null ? "no IoU" : `IoU ${iou.toFixed(3)}`;
  return mark;
}

// What is said beside an answer that holds boxes.
function boxChips(answer) {
  const chips = [];
  if (answer.state === "unparsable") chips.push(["chip warn", "no readable box"]);
  if (answer.none) chips.push(["chip", "says there is none"]);
  if (answer.state === "repaired") chips.push(["chip", "repaired: " + answer.repairs.join(", ")]);
  if (answer.mistaken) chips.push(["chip warn", "left and right mistaken"]);
  return chips.map(([kind, text]) => make("span", kind, text));
}

// `2 boxes`, with their places in percent of the image, x before y.
function inWords(boxes) {
  const places = boxes.map(([x0, y0, x1, y1, phrase]) => {
    const [a, b, c, d] = [x0, x1, y0, y1].map((value) => Math.round(100 * value));
    return `${phrase ? phrase + " " : ""}x ${a}–${b}, y ${c}–${d} %`;
  });
  return `${boxes.length} box${boxes.length === 1 ? "" : "es"}: ${places.join("; ")}`;
}
