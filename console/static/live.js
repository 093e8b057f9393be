// Keeps a page up to date: each event updates one element, and only where it differs, so that focus,
// selection and open sections stay. Countdowns and copy buttons work here without a request.
"use strict";

const connection = document.getElementById("connection");

function follow(address) {
  const source = new EventSource(address);
  source.addEventListener("open", () => showState("live"));
  source.addEventListener("error", () => showState("reconnecting …"));
  source.addEventListener("fragment", (event) => {
    const { id, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    if (!element) return;
    Idiomorph.morph(element, html, {
      morphStyle: "outerHTML",
      ignoreActiveValue: true,
      callbacks: {
        beforeAttributeUpdated: (name) => name !== "open",
        beforeNodeMorphed: (node) => !hasInput(node),
      },
    });
    tick();
    document.dispatchEvent(new CustomEvent("fragment", { detail: id }));
  });
  window.addEventListener("pagehide", () => source.close());
}

// Input that was typed or chosen and not sent yet stays.
function hasInput(node) {
  if (node instanceof HTMLSelectElement) return [...node.options].some((one) => one.selected !== one.defaultSelected);
  const typed = node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;
  return typed && node.value !== node.defaultValue;
}

function showState(words) {
  if (connection.textContent !== words) connection.textContent = words;
}

// <span data-until="2026-01-02T03:04:05Z"> shows the seconds until that time, in place of its text.
function tick() {
  for (const element of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((Date.parse(element.dataset.until) - Date.now()) / 1000));
    element.textContent = `${left} s left`;
  }
}

// <button data-copies="id"> copies the text of that element and changes its label to "Copied".
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  button.firstElementChild.textContent = "Copied";
  document.getElementById("announcement").textContent = "Copied.";
});

if (document.body.dataset.live) follow(document.body.dataset.live);
tick();
setInterval(tick, 500);
