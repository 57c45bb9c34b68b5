// Loaded before Rendezvous: fixes the current time, so that the chain of its SDK starts the same in every run.

const PRESENT = Date.parse("2026-07-01T12:00:00Z");

globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length === 0 ? [PRESENT] : given));
  }

  static now() {
    return PRESENT;
  }
};
