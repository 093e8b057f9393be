// Updates the preview while the user types, and moves steps by button or by dragging without a new
// page. The server renders everything with the API's own rules.
"use strict";

const PAUSE_MS = 200;
const form = document.getElementById("compose");
document.documentElement.classList.add("scripted");

let timer;
let latest = 0;
let sending = false;
const edited = new Set();
const connectionNotice = document.getElementById("connection");

// A selected scenario fills its field at once, so it need not be posted.
for (const select of form.querySelectorAll("select[data-channel]")) select.removeAttribute("name");

// `button` is null where only a field has changed.
async function refresh(button, extra) {
  clearTimeout(timer);
  const mine = ++latest;
  const data = new FormData(form, button);
  for (const [name, value] of Object.entries(extra || {})) data.set(name, value);
  const html = await post(new URLSearchParams(data));
  connectionNotice.textContent = html === null ? "The console does not respond: the preview may be outdated." : "";
  // A later request has its own response.
  if (html !== null && mine === latest) show(html);
}

async function post(body) {
  try {
    const response = await fetch("/compose/preview", { method: "POST", body });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

function show(html) {
  const found = new DOMParser().parseFromString(html, "text/html");
  for (const fragment of [...found.body.children]) {
    const element = document.getElementById(fragment.id);
    if (!element) continue;
    Idiomorph.morph(element, fragment.outerHTML, {
      morphStyle: "outerHTML",
      ignoreActiveValue: true,
      // The user opens and closes sections.
      callbacks: { beforeAttributeUpdated: (name) => name !== "open" },
    });
    if (fragment.dataset.scenario !== undefined) selectScenario(fragment);
  }
  removeSolvedProblems();
  const focus = found.getElementById("form-status")?.dataset.focus;
  if (focus) document.getElementById(focus)?.focus();
}

// Selects the scenario of the recipient that was entered.
function selectScenario(description) {
  const select = document.getElementById(description.id.replace("scenario-", "scenario/"));
  if (select !== document.activeElement) select.value = description.dataset.scenario;
}

// Removes a problem from its field once the preview no longer reports it. Only the API checks the
// idempotency key, so its problem stays until another key is entered.
function removeSolvedProblems() {
  if (edited.size === 0) return;
  const remaining = new Set([...document.querySelectorAll(".missing [data-field]")].map((one) => one.dataset.field));
  for (const wrong of document.querySelectorAll(".wrong[data-for]")) {
    if (remaining.has(wrong.dataset.for)) continue;
    if (wrong.dataset.for === "idempotency_key" && !edited.has("idempotency_key")) continue;
    document.getElementById(wrong.dataset.for)?.removeAttribute("aria-invalid");
    wrong.remove();
  }
}

form.addEventListener("input", (event) => {
  edited.add(event.target.id);
  clearTimeout(timer);
  latest += 1;
  timer = setTimeout(() => refresh(null), PAUSE_MS);
});

form.addEventListener("change", (event) => {
  const select = event.target.closest("select[data-channel]");
  if (!select) return;
  const to = select.selectedOptions[0].dataset.to;
  if (to) document.getElementById(`/to/${select.dataset.channel}`).value = to;
  refresh(null);
});

form.addEventListener("submit", (event) => {
  if (event.submitter?.value === "send") {
    // A double click sends once.
    if (sending) event.preventDefault();
    sending = true;
    return;
  }
  event.preventDefault();
  refresh(event.submitter);
});

// After returning from the message's page the form can be sent again.
window.addEventListener("pageshow", () => {
  sending = false;
  refresh(null);
});

// ---- dragging

let dragged = null;

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".grip");
  if (!grip || event.button !== 0) return;
  event.preventDefault();
  dragged = grip.closest(".step");
  dragged.classList.add("dragged");
});

document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const others = [...dragged.parentElement.children].filter((one) => one !== dragged);
  const next = others.find((one) => {
    const box = one.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  });
  if (dragged.nextElementSibling !== (next ?? null)) dragged.parentElement.insertBefore(dragged, next ?? null);
});

for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    refresh(null, { action: `dragged:${dragged.dataset.key}` });
    dragged = null;
  });
}
