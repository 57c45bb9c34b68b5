"use strict";

// Tells the page of new blocks: parts marked with data-live are read again and replaced. Nothing else runs here.

(() => {
  const body = document.body;
  const dot = document.getElementById("live-dot");
  const PAUSE_MS = 1500;
  let shown = body.dataset.tip;
  let wanted = shown;
  let isUpdating = false;

  function show(state, title) {
    dot.className = `dot ${state}`;
    dot.title = title;
  }

  function replace(part, fresh) {
    if (part.outerHTML === fresh.outerHTML) return;
    if (part.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
    const isOpen = new Set([...part.querySelectorAll("details[open]")].map((details) => details.id));
    for (const details of fresh.querySelectorAll("details")) details.open = details.open || isOpen.has(details.id);
    part.replaceWith(document.adoptNode(fresh));
  }

  async function update() {
    if (isUpdating || document.hidden || wanted === shown) return;
    isUpdating = true;
    const reached = wanted;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const fresh = page.getElementById(part.id);
          if (fresh !== null) replace(part, fresh);
        }
        shown = reached;
        body.dataset.tip = page.body.dataset.tip;
        document.dispatchEvent(new CustomEvent("pages-updated"));
      }
    } catch {
      show("lost", "The pages cannot be reached.");
    } finally {
      setTimeout(() => {
        isUpdating = false;
        update();
      }, PAUSE_MS);
    }
  }

  const source = new EventSource(body.dataset.live);
  source.addEventListener("block", (message) => {
    wanted = JSON.parse(message.data).hash;
    show("live", "New blocks are shown as they come.");
    update();
  });
  source.addEventListener("error", () => show("lost", "No connection; it is tried again."));
  document.addEventListener("visibilitychange", update);
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
