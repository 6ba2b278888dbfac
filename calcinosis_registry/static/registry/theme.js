// The chosen appearance ("auto", "light" or "dark"), kept under the key "theme" as Django's admin keeps it.
// Loaded before the first paint, so that a dark page never flashes white.
"use strict";
(() => {
  const stored = () => {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto"; // storage may be switched off
    }
  };
  const apply = (theme) => (document.documentElement.dataset.theme = theme);

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    for (const choice of document.querySelectorAll("[data-theme-choice]")) {
      choice.hidden = false;
      for (const radio of choice.querySelectorAll("input")) radio.checked = radio.value === stored();
      choice.addEventListener("change", (event) => {
        apply(event.target.value);
        try {
          localStorage.setItem("theme", event.target.value);
        } catch {
          // then it holds for this page only
        }
      });
    }
  });
})();
