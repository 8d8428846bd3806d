// Windows of an app inside a pane, and menus in them whose options the app is asked for.
"use strict";

// What lies below a window cannot be reached while it is open. The focus goes in, and then to where one goes on
// writing; who works in another pane meanwhile is not disturbed.
document.addEventListener("htmx:afterSettle", (event) => {
  const over = event.target.closest?.(".over");
  if (!over) return;
  const modal = over.querySelector("[data-modal]");
  const shown = modal ? `${modal.id} ${modal.querySelectorAll(".field").length}` : "";
  for (const below of over.parentElement.children) if (below !== over) below.inert = Boolean(modal);
  const free = document.activeElement === document.body || over.parentElement.contains(document.activeElement);
  if (free && shown !== (over.dataset.shows ?? "")) {
    const inside = modal && (modal.querySelector(".field :is(input, select, textarea):not([type=hidden])") ?? modal.querySelector("[data-cancel]"));
    (inside ?? over.parentElement.querySelector(".opened [data-enter]") ?? over.parentElement.querySelector("[data-enter]")).focus();
  }
  over.dataset.shows = shown;
});

// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
const menuOf = (node) => node.closest?.("[data-combobox]");
const optionsOf = (menu) => [...menu.querySelectorAll("[role=option]")];
const fold = (menu) => {
  menu.querySelector("[role=listbox]").replaceChildren();
  const input = menu.querySelector("[role=combobox]");
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};
const choose = (menu, option) => {
  const [input, hidden] = [menu.querySelector("[role=combobox]"), menu.querySelector("[type=hidden]")];
  hidden.value = option?.dataset.option ?? "";
  input.value = option ? JSON.parse(hidden.value).text.text : "";
  fold(menu);
  hidden.dispatchEvent(new Event("input", { bubbles: true }));
  hidden.dispatchEvent(new Event("change", { bubbles: true }));
};
const point = (menu, step) => {
  const options = optionsOf(menu);
  if (!options.length) return;
  const at = options.findIndex((option) => option.ariaSelected === "true");
  const next = options[(at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length];
  for (const option of options) option.ariaSelected = String(option === next);
  menu.querySelector("[role=combobox]").setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
};
document.addEventListener("htmx:afterSwap", (event) => {
  if (!event.target.matches?.("[role=listbox]")) return;
  const input = menuOf(event.target).querySelector("[role=combobox]");
  if (input === document.activeElement) input.setAttribute("aria-expanded", "true"); else fold(menuOf(event.target));
});
// What is offered for other letters is not chosen by accident, nor shown if it comes late.
document.addEventListener("input", (event) => { if (event.target.matches("[role=combobox]")) fold(menuOf(event.target)); });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.target.matches?.("[role=listbox]")) return;
  const typed = menuOf(event.target).querySelector("[role=combobox]").value;
  if (event.detail.requestConfig.parameters.typed !== typed) event.detail.shouldSwap = false;
});
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.("[data-combobox] [role=option]");
  if (!option) return;
  event.preventDefault();
  choose(menuOf(option), option);
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.matches?.("[role=combobox]") && menuOf(event.target);
  if (!menu) return;
  const chosen = menu.querySelector("[aria-selected=true]");
  if (event.key === "ArrowDown") point(menu, 1);
  else if (event.key === "ArrowUp") point(menu, -1);
  else if (event.key === "Enter" && chosen) choose(menu, chosen);
  else if (event.key === "Escape" && event.target.ariaExpanded === "true") fold(menu);
  else return;
  event.preventDefault();
});
// What was typed and not chosen is no choice.
document.addEventListener("focusout", (event) => {
  const menu = event.target.matches?.("[role=combobox]") && menuOf(event.target);
  if (!menu) return;
  const chosen = menu.querySelector("[type=hidden]").value;
  if (!event.target.value && chosen) return choose(menu, null);
  event.target.value = chosen ? JSON.parse(chosen).text.text : "";
  fold(menu);
});
