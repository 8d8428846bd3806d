// Before anything is drawn: the theme chosen last time; without one, the system's.
"use strict";
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
