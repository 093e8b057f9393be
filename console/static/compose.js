// What is beside the form follows what is typed; steps move by their buttons without loading the
// page, and by dragging. All of it is asked of the server, which knows the API's own rules.
"use strict";

const PAUSE_MS = 200;
const form = document.getElementById("compose");
document.documentElement.classList.add("scripted");

let typing;
let asked = 0;
let sending = false;
const edited = new Set();
const note = document.getElementById("connection");

// A chosen scenario fills its field at once, and so is none of the posted ones.
for (const chooser of form.querySelectorAll("select[data-channel]")) chooser.removeAttribute("name");

// `button` null: nothing but the fields has changed.
async function ask(button, extra) {
  clearTimeout(typing);
  const mine = ++asked;
  const data = new FormData(form, button);
  for (const [name, value] of Object.entries(extra || {})) data.set(name, value);
  const html = await answered(new URLSearchParams(data));
  note.textContent = html === null ? "The console does not answer: the plan may be old." : "";
  // What was typed in the meantime has its own answer.
  if (html !== null && mine === asked) show(html);
}

async function answered(body) {
  try {
    const answer = await fetch("/compose/preview", { method: "POST", body });
    return answer.ok ? await answer.text() : null;
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
      // Folds stay as they are.
      callbacks: { beforeAttributeUpdated: (name) => name !== "open" },
    });
    if (fragment.dataset.scenario !== undefined) mark(fragment);
  }
  forget();
  goOn(found.getElementById("said")?.dataset.focus);
}

// After a button: where one goes on, which is that button again where it can do more.
function goOn(id) {
  if (id) document.getElementById(id)?.focus();
}

// The chooser shows what the typed recipient does.
function mark(does) {
  const chooser = document.getElementById(`does/${does.id.replace("does-", "")}`);
  if (chooser !== document.activeElement) chooser.value = does.dataset.scenario;
}

// A mistake that is no longer one is taken from its field. Of a key only the API itself knows, so
// that its mistake stays until another is typed.
function forget() {
  if (edited.size === 0) return;
  const still = new Set([...document.querySelectorAll(".missing [data-field]")].map((one) => one.dataset.field));
  for (const wrong of document.querySelectorAll(".wrong[data-for]")) {
    if (still.has(wrong.dataset.for)) continue;
    if (wrong.dataset.for === "idempotency_key" && !edited.has("idempotency_key")) continue;
    document.getElementById(wrong.dataset.for)?.removeAttribute("aria-invalid");
    wrong.remove();
  }
}

form.addEventListener("input", (event) => {
  edited.add(event.target.id);
  clearTimeout(typing);
  asked += 1;
  typing = setTimeout(() => ask(null), PAUSE_MS);
});

form.addEventListener("change", (event) => {
  const chooser = event.target.closest("select[data-channel]");
  if (!chooser) return;
  const to = chooser.selectedOptions[0].dataset.to;
  if (to) document.getElementById(`/to/${chooser.dataset.channel}`).value = to;
  ask(null);
});

form.addEventListener("submit", (event) => {
  const what = event.submitter?.value;
  if (what === "send") {
    // Twice pressed is not twice sent.
    if (sending) event.preventDefault();
    sending = true;
    return;
  }
  event.preventDefault();
  ask(event.submitter);
});

// Back from the message's page, it can be sent again.
window.addEventListener("pageshow", () => {
  sending = false;
  ask(null);
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
    ask(null, { do: `dropped:${dragged.dataset.key}` });
    dragged = null;
  });
}
