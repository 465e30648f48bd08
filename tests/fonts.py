"""How large the text of a page in a browser is, and what a printed page cuts off."""

from __future__ import annotations

from typing import Any

LEAST = 12.0
"""Pixels."""

_SIZES = """() => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const small = [];
  const say = (element, size, text) => {
    const name = typeof element.className === "string" ? element.className : element.getAttribute("class");
    if (size < LEAST - 0.05) small.push(`${size.toFixed(1)} ${element.tagName}.${name}: ${text.trim()}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("script, style, noscript, title, desc")) continue;
    let size = parseFloat(getComputedStyle(element).fontSize);
    if (element.ownerSVGElement) {
      // A drawing that is scaled to its panel scales its text.
      const matrix = element.getScreenCTM();
      if (!matrix || !element.getClientRects().length) continue;
      size *= Math.hypot(matrix.b, matrix.d);
    }
    count += 1;
    say(element, size, texts.currentNode.data);
  }
  for (const element of document.querySelectorAll("input, select, textarea, button")) {
    say(element, parseFloat(getComputedStyle(element).fontSize), element.id || element.textContent);
  }
  return [count, small];
}""".replace("LEAST", str(LEAST))

_CUT = """() => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const wide = document.documentElement.clientWidth;
  return [...document.querySelectorAll("table, th, td, svg, pre, figure, p, dl")].filter((element) => {
    const box = element.getBoundingClientRect();
    const spills = element.clientWidth && element.scrollWidth > element.clientWidth + 1;
    return box.width && (box.right > wide + 1 || box.left < -1 || (spills && !element.closest("svg")));
  }).map((element) => `${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`);
}"""


def too_small(page: Any) -> list[str]:
    """Return a line for every text below `LEAST`, those of drawings, fields and folded parts included."""
    count, small = page.evaluate(_SIZES)
    assert count > 10
    return list(dict.fromkeys(small))


def cut_in_print(page: Any) -> list[str]:
    """Return what reaches beyond an A4 sheet of the page's own margins, 12 mm left and right."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 702, "height": 1000})  # (210 - 24) mm at 96 pixels an inch
    found: list[str] = page.evaluate(_CUT)
    page.emulate_media(media="screen")
    return found
