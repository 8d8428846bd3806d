// What HTML and htmx do not do by themselves. Nothing here knows what a tool looks like.
"use strict";

const root = document.documentElement;
const byId = (id) => document.getElementById(id);

// Light or dark, kept for the next visit.
byId("theme").addEventListener("click", () => {
  const dark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// Tools of the left side share a place, and on a phone all parts do.
const mark = (attribute, name, among) => {
  for (const each of document.querySelectorAll(among)) {
    const here = name === (each.dataset.tab ?? each.dataset.part ?? each.dataset.side);
    if (here && each.dataset.tab) delete each.dataset.news;
    if (here) each.setAttribute(attribute, "true"); else each.removeAttribute(attribute);
  }
};
const show = (name) => {
  mark("data-current", name, "[data-part]");
  mark("aria-current", name, "[data-tab]");
  if (document.querySelector(`[data-tab="${name}"][data-side]`)) mark("data-shown", name, "[data-side]");
};
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-tab]")?.dataset.tab ?? event.target.closest("[data-show]")?.dataset.show;
  if (name) show(name);
});

// What is opened on the left comes to the front; what opens along with something else does where nothing is open.
const isOpen = (part) => part.querySelector(".opened").hasChildNodes();
const front = (part) => {
  if (!part.matches("[data-side]:not([data-shown])")) return;
  if (document.querySelector("[data-current][data-side]")) show(part.dataset.part); else mark("data-shown", part.dataset.part, "[data-side]");
};
document.addEventListener("htmx:afterSwap", (event) => { if (event.target.matches(".opened")) front(event.target.closest("[data-part]")); });
document.addEventListener("htmx:oobAfterSwap", () => {
  const [shown, ...others] = [...document.querySelectorAll(".pane[data-side]")].sort((one) => one.hasAttribute("data-shown") ? -1 : 1);
  const opened = others.find(isOpen);
  if (opened && !isOpen(shown)) front(opened);
});

// What somebody is typing stays as it is, whatever arrives meanwhile.
document.addEventListener("input", (event) => {
  const draft = event.target.closest("[contenteditable], form");
  if (draft) draft.dataset.draft = "";
});
document.addEventListener("htmx:beforeRequest", (event) => {
  delete event.detail.elt.closest("[data-draft]")?.dataset.draft;
});
const isDraft = (node) => node instanceof Element && node.matches("[data-draft]");
const isTyping = (node) => node === document.activeElement && node.closest("[data-modal]");
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !isDraft(old) && !isTyping(old);
Idiomorph.defaults.callbacks.beforeNodeRemoved = (old) => !isDraft(old);
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));

// What changed by itself lights up for a moment.
const light = (node) => {
  if (!(node instanceof Element) || !node.matches("[data-look], .chapter, .comment")) return;
  node.classList.remove("changed");
  requestAnimationFrame(() => node.classList.add("changed"));
  const part = node.closest("[data-part]")?.dataset.part;
  const tab = part && document.querySelector(`[data-tab="${part}"]:not([aria-current], [data-shown])`);
  if (tab) tab.dataset.news = "";
};
let settled = false;
setTimeout(() => { settled = true; }, 1500);
Idiomorph.defaults.callbacks.afterNodeAdded = (node) => settled && light(node);
const looks = new WeakMap();
Idiomorph.defaults.callbacks.afterNodeMorphed = (old) => {
  if (!(old instanceof Element) || !old.dataset.look) return;
  if (settled && looks.has(old) && looks.get(old) !== old.dataset.look) light(old);
  looks.set(old, old.dataset.look);
};

// Rich text is saved when it is left, as in the tool itself.
document.addEventListener("focusout", (event) => {
  const text = event.target.closest?.("[data-rich]");
  if (!text || !("draft" in text.dataset)) return;
  delete text.dataset.draft;
  htmx.ajax("POST", text.dataset.to, {
    source: text, target: text.closest("article"), swap: "morph", values: { [text.dataset.rich]: text.innerHTML },
  });
});

// Cards are dragged between columns; without a mouse, the task's own "Column" does the same.
let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-drag]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.id);
  dragged.classList.add("dragged");
});
document.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  document.querySelector(".column.over")?.classList.remove("over");
  dragged = null;
});
document.addEventListener("dragover", (event) => {
  const column = event.target.closest?.("[data-section]");
  if (!dragged || !column) return;
  event.preventDefault();
  document.querySelector(".column.over")?.classList.remove("over");
  column.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const column = event.target.closest?.("[data-section]");
  if (!dragged || !column) return;
  event.preventDefault();
  if (!column.contains(dragged)) {
    htmx.ajax("POST", dragged.dataset.drag, { source: column, swap: "none", values: { section: column.dataset.section } });
  }
});

// Closing closes both sides; the Escape key does it, too. A form for something new is shut once it was sent.
const shut = () => { for (const opened of document.querySelectorAll(".opened")) opened.replaceChildren(); };
document.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) shut(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const cancel = document.querySelector("[data-cancel]");
  if (cancel) return cancel.click();
  const typing = event.target.closest("[contenteditable], textarea, input");
  if (typing) typing.blur(); else shut();
});
document.addEventListener("keydown", (event) => {
  const name = event.target.closest?.(".name textarea");
  if (name && event.key === "Enter") { event.preventDefault(); name.blur(); }
});
document.addEventListener("keydown", (event) => {
  const text = event.target.closest?.("[data-enter]");
  if (!text || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (text.value.trim()) text.form.requestSubmit();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!event.detail.successful || !form.matches("form:not([data-modal])")) return;
  form.reset();
  if (form.matches("[data-new]")) form.closest("details")?.removeAttribute("open");
});

// Whatever goes wrong is said, with what to do.
const problem = byId("problem");
let hiding = 0;
const say = (text, lasting = false) => {
  problem.textContent = text;
  problem.hidden = false;
  clearTimeout(hiding);
  if (!lasting) hiding = setTimeout(() => { problem.hidden = true; }, 6000);
};
document.addEventListener("htmx:responseError", (event) => say(event.detail.xhr.responseText || "That did not work. Try it again."));
document.addEventListener("htmx:sseError", () => say("The demo does not answer any more. Start it again (make demo), and open the address that it prints.", true));
document.addEventListener("htmx:sseOpen", () => { problem.hidden = true; });
