// The image: zoom by wheel, pinch, buttons and keys; window and level for grey images by sliders or by
// dragging with the right button. Only what is on the screen is drawn, so that a large image stays quick.

const MOST = 16; // screen pixels per image pixel, at most

export class Viewer {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.problem = root.querySelector(".problem");
    this.series = root.querySelector(".series");
    this.panel = root.querySelector(".windowing");
    this.level = root.querySelector("[data-level]");
    this.width = root.querySelector("[data-width]");
    this.pointers = new Map();
    this.loaded = new Map();
    this.reset();
    for (const button of root.querySelectorAll("[data-tool]")) button.addEventListener("click", () => this.use(button.dataset.tool));
    for (const slider of [this.level, this.width]) slider.addEventListener("input", () => { this.windowed = true; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.listen();
  }

  // Images that come soon are fetched ahead; all others are forgotten.
  keep(urls) {
    for (const url of this.loaded.keys()) if (!urls.includes(url)) this.loaded.delete(url);
    for (const url of urls) this.load(url);
  }

  load(url) {
    if (!this.loaded.has(url)) {
      const image = new Image();
      const ready = new Promise((resolve, reject) => { image.onload = () => resolve(image); image.onerror = reject; });
      ready.catch(() => this.loaded.delete(url)); // asked for again when it is shown
      image.src = url;
      this.loaded.set(url, ready);
    }
    return this.loaded.get(url);
  }

  show(urls) {
    this.urls = urls;
    this.series.hidden = urls.length < 2;
    this.series.replaceChildren(...urls.map((_, place) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: `${place + 1}` });
      button.setAttribute("aria-label", `Image ${place + 1} of ${urls.length}`);
      button.addEventListener("click", () => this.open(place));
      return button;
    }));
    if (urls.length) this.open(0);
    else { this.image = null; this.say("There is no image."); }
  }

  async open(place) {
    this.place = place;
    const url = this.urls[place];
    [...this.series.children].forEach((button, at) => button.setAttribute("aria-pressed", at === place));
    this.image = null;
    this.reset();
    const slow = setTimeout(() => { if (this.urls[this.place] === url && !this.image) this.say("Loading the image …"); }, 250);
    for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
      try {
        const image = await this.load(url);
        if (this.urls[this.place] !== url) return;
        clearTimeout(slow);
        this.say("");
        this.image = image;
        this.grey = isGrey(image);
        this.root.classList.toggle("colour", !this.grey);
        this.reset();
        return;
      } catch {
        clearTimeout(slow);
        if (this.urls[this.place] !== url) return;
        this.say("The image cannot be loaded. Trying again …");
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (this.urls[this.place] !== url) return;
      }
    }
  }

  say(text) { this.problem.textContent = text; this.problem.hidden = !text; this.draw(); }

  use(tool) {
    if (tool === "in") this.zoom(1.4);
    if (tool === "out") this.zoom(1 / 1.4);
    if (tool === "fit") { this.factor = 1; this.x = this.y = 0; this.draw(); }
    if (tool === "next" && this.urls.length > 1) this.open((this.place + 1) % this.urls.length);
    if (!this.grey) return;
    if (tool === "window") this.panel.hidden = !this.panel.hidden;
    if (tool === "invert") { this.inverted = !this.inverted; this.draw(); }
    if (tool === "reset") this.reset();
    this.root.querySelector("[data-tool=window]").setAttribute("aria-pressed", !this.panel.hidden);
    this.root.querySelector("[data-tool=invert]").setAttribute("aria-pressed", this.inverted);
  }

  reset() {
    Object.assign(this, { factor: 1, x: 0, y: 0, windowed: false, inverted: false });
    this.level.value = 128;
    this.width.value = 255;
    this.root.querySelector("[data-tool=invert]").setAttribute("aria-pressed", false);
    this.draw();
  }

  // x and y: the point that stays where it is, in screen pixels from the canvas's middle.
  zoom(by, x = 0, y = 0) {
    if (!this.image) return;
    const before = this.factor;
    this.factor = Math.min(Math.max(before * by, 1), Math.max(1, MOST / this.fitted()));
    const grown = this.factor / before;
    this.x = x - (x - this.x) * grown;
    this.y = y - (y - this.y) * grown;
    this.draw();
  }

  fitted() {
    return Math.min(this.canvas.clientWidth / this.image.naturalWidth, this.canvas.clientHeight / this.image.naturalHeight);
  }

  draw() {
    if (!this.context) return;
    const { canvas, context } = this;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    // With one finger the page is scrolled, unless there is something to move.
    canvas.style.touchAction = this.factor > 1 ? "none" : "pan-y";
    this.root.querySelector("[data-zoom]").textContent = `${Math.round(100 * this.factor)} %`;
    if (!this.image || !width || !height) return;
    const scale = this.fitted() * this.factor;
    const [wide, high] = [this.image.naturalWidth * scale, this.image.naturalHeight * scale];
    const [free, below] = [Math.max(0, (wide - canvas.clientWidth) / 2), Math.max(0, (high - canvas.clientHeight) / 2)];
    this.x = Math.min(Math.max(this.x, -free), free);
    this.y = Math.min(Math.max(this.y, -below), below);
    const [left, top] = [(canvas.clientWidth - wide) / 2 + this.x, (canvas.clientHeight - high) / 2 + this.y];
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = scale < 8; // beyond, the image's own pixels are to be seen
    context.drawImage(this.image, left * ratio, top * ratio, wide * ratio, high * ratio);
    if (this.grey && (this.windowed || this.inverted)) this.applyWindow(left * ratio, top * ratio, wide * ratio, high * ratio);
  }

  applyWindow(left, top, wide, high) {
    const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
    const [w, h] = [Math.min(this.canvas.width, Math.ceil(left + wide)) - x, Math.min(this.canvas.height, Math.ceil(top + high)) - y];
    if (w < 1 || h < 1) return;
    const level = Number(this.level.value), width = this.windowed ? Number(this.width.value) : 255;
    const low = (this.windowed ? level : 127.5) - width / 2;
    const table = new Uint8ClampedArray(256);
    for (let value = 0; value < 256; value++) {
      const seen = ((value - low) / width) * 255;
      table[value] = this.inverted ? 255 - seen : seen;
    }
    const pixels = this.context.getImageData(x, y, w, h), data = pixels.data;
    for (let at = 0; at < data.length; at += 4) data[at] = data[at + 1] = data[at + 2] = table[data[at]];
    this.context.putImageData(pixels, x, y);
  }

  listen() {
    const { canvas } = this;
    const middle = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    };
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...middle(event));
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", (event) => (this.factor > 1 ? this.use("fit") : this.zoom(2.5, ...middle(event))));
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { at: middle(event), windows: event.button === 2 || event.shiftKey });
      if (this.pointers.size > 1) canvas.style.touchAction = "none";
    });
    canvas.addEventListener("pointermove", (event) => {
      const held = this.pointers.get(event.pointerId);
      if (!held) return;
      const now = middle(event), [dx, dy] = [now[0] - held.at[0], now[1] - held.at[1]];
      const other = [...this.pointers.entries()].find(([pointer]) => pointer !== event.pointerId)?.[1];
      if (other) {
        const [before, after] = [distance(held.at, other.at), distance(now, other.at)];
        if (before > 0) this.zoom(after / before, (now[0] + other.at[0]) / 2, (now[1] + other.at[1]) / 2);
      } else if (held.windows && this.grey) {
        this.windowed = true;
        this.width.value = Number(this.width.value) + dx;
        this.level.value = Number(this.level.value) + dy / 2;
        this.draw();
      } else if (this.factor > 1) {
        this.x += dx;
        this.y += dy;
        this.draw();
      }
      held.at = now;
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    // Safari pinches the page whatever touch-action says.
    for (const gesture of ["gesturestart", "gesturechange"]) canvas.addEventListener(gesture, (event) => event.preventDefault());
  }
}

function isGrey(image) {
  const small = Object.assign(document.createElement("canvas"), { width: 96, height: 96 });
  const context = small.getContext("2d");
  context.drawImage(image, 0, 0, 96, 96);
  const { data } = context.getImageData(0, 0, 96, 96);
  for (let at = 0; at < data.length; at += 4) {
    if (Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 24) return false;
  }
  return true;
}

const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);
