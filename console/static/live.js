// Keeps a page up to date: each event replaces one element, and only where it differs, so that
// focus, selection and open folds stay. Countdowns tick here, since nobody needs to be asked, and
// what a page offers to copy is copied.
"use strict";

const connection = document.getElementById("connection");

function follow(address) {
  const source = new EventSource(address);
  source.addEventListener("open", () => say("live"));
  source.addEventListener("error", () => say("connecting again …"));
  source.addEventListener("fragment", (event) => {
    const { id, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    if (!element) return;
    Idiomorph.morph(element, html, {
      morphStyle: "outerHTML",
      ignoreActiveValue: true,
      callbacks: {
        beforeAttributeUpdated: (name) => name !== "open",
        beforeNodeMorphed: (node) => !filledIn(node),
      },
    });
    tick();
    document.dispatchEvent(new CustomEvent("fragment", { detail: id }));
  });
  window.addEventListener("pagehide", () => source.close());
}

// What a person has typed or chosen and not sent yet stays.
function filledIn(node) {
  if (node instanceof HTMLSelectElement) return [...node.options].some((one) => one.selected !== one.defaultSelected);
  const typed = node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;
  return typed && node.value !== node.defaultValue;
}

function say(words) {
  if (connection.textContent !== words) connection.textContent = words;
}

// <span data-until="2026-01-02T03:04:05Z"> holds the seconds that are left until then.
function tick() {
  for (const element of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((Date.parse(element.dataset.until) - Date.now()) / 1000));
    element.textContent = `${left} s`;
  }
}

// <button data-copies="id"> copies the text of that element, and says so on itself.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  button.firstElementChild.textContent = "Copied";
  document.getElementById("told").textContent = "Copied.";
});

if (document.body.dataset.live) follow(document.body.dataset.live);
tick();
setInterval(tick, 500);
