"""What is hard to read on a page, found by the browser: pale text, empty table cells, tables that are cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Contrast as WCAG 2 defines it; a canvas converts any notation of a colour to bytes.
_PALE: Final = """(least) => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const bytes = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, alpha / 255];
  };
  const over = (upper, lower) => [0, 1, 2].map((i) => upper[i] * upper[3] + lower[i] * (1 - upper[3]));
  const channel = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      layers.push(bytes(getComputedStyle(each).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!texts.currentNode.textContent.trim() || !box.width || !box.height || box.right < 0) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const ground = behind(element);
    const ink = over(bytes(getComputedStyle(element).color), ground);
    const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < least) found.add(`${contrast.toFixed(2)}: ${texts.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return [...found];
}"""
_EMPTY: Final = """() => [...document.querySelectorAll("td")]
  .filter((cell) => cell.checkVisibility() && !cell.innerText.trim() && !cell.querySelector("svg, input"))
  .map((cell) => cell.outerHTML)"""
_CUT: Final = """() => [...document.querySelectorAll("table")]
  .filter((table) => table.checkVisibility() && table.parentElement.scrollWidth > table.parentElement.clientWidth + 1)
  .map((table) => table.parentElement.outerHTML.slice(0, 80))"""
LEAST_CONTRAST: Final = 4.5


def require_contrast(page: Page) -> None:
    """Fail if a text of a page has too little contrast with its background, in light or dark mode.

    Args:
        page: The page.
    """
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        pale = page.evaluate(_PALE, LEAST_CONTRAST)
        assert not pale, f"{page.url} in the {scheme}: {pale}"


def require_no_empty_cells(page: Page) -> None:
    """Fail if a table shows an empty cell, even one with a label.

    Args:
        page: The page.
    """
    empty = page.evaluate(_EMPTY)
    assert not empty, f"{page.url}: {empty[:3]}"


def require_whole_tables(page: Page) -> None:
    """Fail if a table is wider than its container, so that its last columns are hidden.

    Args:
        page: The page.
    """
    cut = page.evaluate(_CUT)
    assert not cut, f"{page.url}: {cut}"
