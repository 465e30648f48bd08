"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, attributes, text = "") {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  // Pointing at a curve shows the step and the values of every line nearest to it.
  for (const svg of document.querySelectorAll("svg.curves")) {
    const lines = JSON.parse(svg.dataset.readout);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const group = make("g", { class: "readout" });
    svg.append(group);
    svg.addEventListener("pointerleave", () => group.replaceChildren());
    svg.addEventListener("pointermove", (event) => {
      const place = svg.getBoundingClientRect();
      const x = (event.clientX - place.left) * width / place.width;
      const near = lines.map((line) => line.points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));
      const at = near.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);
      const texts = [`step ${Math.round(at[2]).toLocaleString("en")}`];
      near.forEach((point, index) => { if (Math.abs(point[0] - at[0]) < 6) texts.push(`${lines[index].label} ${point[3]}`); });
      const wide = 14 + 7.2 * Math.max(...texts.map((text) => text.length));
      const left = at[0] + wide + 8 > width ? at[0] - wide - 8 : at[0] + 8;
      group.replaceChildren(
        make("line", { x1: at[0], x2: at[0], y1: 12, y2: height - 24 }),
        make("rect", { x: left, y: 12, width: wide, height: 6 + 15 * texts.length, rx: 4 }),
        ...texts.map((text, index) => make("text", { x: left + 7, y: 26 + 15 * index }, text)));
    });
  }

  // A footnote's number opens the folded list it stands in.
  for (const link of document.querySelectorAll('a[href^="#note-"]')) {
    link.addEventListener("click", () => { document.querySelector(link.hash)?.closest("details")?.setAttribute("open", ""); });
  }

  const button = document.getElementById("theme");
  const THEMES = { auto: "light dark", light: "light", dark: "dark" };
  let theme = "auto";
  button.addEventListener("click", () => {
    theme = { auto: "light", light: "dark", dark: "auto" }[theme];
    document.documentElement.style.colorScheme = THEMES[theme];
    button.textContent = theme[0].toUpperCase() + theme.slice(1);
  });
})();
