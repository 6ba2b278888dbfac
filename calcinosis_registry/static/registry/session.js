// Who is signed in, and signing in again without leaving the page: the sign-in pages are shown inside a dialog, step by
// step (password, second factor), until the server says who it is.

import { attach } from "./passkey.js";

const PATIENCE = 15_000;

async function ask(url, options = {}) {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE), headers: { Accept: "application/json, text/html" } });
  if (answer.headers.get("Content-Type")?.startsWith("application/json")) return answer.json();
  return { page: new DOMParser().parseFromString(await answer.text(), "text/html"), url: answer.url };
}

// {person, name, token}, or null where nobody is signed in. Throws where there is no connection.
export async function session(url) {
  const found = await ask(url, { cache: "no-store" });
  return found.person ? found : null;
}

// The form of this step to fill in, and before it the one that asks the browser for a passkey, where there is one.
function formsOf(found) {
  const forms = [...(found.page?.querySelectorAll("main form") ?? [])];
  const typed = forms.find((one) => one.querySelector("input:not([type=hidden])"));
  return [forms.find((one) => one.matches("[data-passkey]")), typed].filter(Boolean);
}

// Asks to sign in until `words.person` is signed in (true) or the person gives up (false).
export function signInAgain(words, fresh) {
  document.querySelector("dialog.sign-in-again")?.remove();
  const dialog = document.querySelector("#sign-in-again").content.cloneNode(true).firstElementChild;
  const holder = dialog.querySelector("[data-form]");
  document.body.append(dialog);

  return new Promise((resolve) => {
    const done = (signedIn) => { window.removeEventListener("focus", look); dialog.close(); dialog.remove(); resolve(signedIn); };

    function take(found) {
      if (found.person === Number(words.person)) { fresh(found.token); return done(true); }
      dialog.querySelector("[data-other]").hidden = !found.person;
      dialog.querySelector("[data-why]").hidden = Boolean(found.person);
      const next = found.person ? [] : formsOf(found);
      const options = next.map((one) => found.page.getElementById(one.dataset.options)).filter(Boolean);
      holder.replaceChildren(...options, ...next);
      for (const one of next) show(one, found.url);
      const inputs = [...holder.querySelectorAll("input:not([type=hidden])")];
      (holder.querySelector("[data-passkey] button") ?? inputs.find((one) => !one.value) ?? inputs[0])?.focus();
    }

    function show(next, url) {
      const action = new URL(next.getAttribute("action") || url, url);
      if (!next.querySelector("[name=next]")) action.searchParams.set("next", words.session);
      else next.querySelector("[name=next]").value = words.session;
      const send = async (_form, submitter = null) => {
        const body = new URLSearchParams(new FormData(next, submitter));
        try { take(await ask(action, { method: "POST", body })); } catch { dialog.querySelector("[data-later]").focus(); }
      };
      if (next.matches("[data-passkey]")) attach(next, send);
      else next.addEventListener("submit", (event) => { event.preventDefault(); send(next, event.submitter); });
      for (const other of next.querySelectorAll("button[form]")) other.remove();
      for (const link of next.querySelectorAll("a")) link.target = "_blank"; // this page stays
    }

    // Signed in in another window meanwhile.
    async function look() {
      try { const found = await session(words.session); if (found) take(found); } catch { /* still no connection */ }
    }

    dialog.querySelector("[data-later]").addEventListener("click", () => done(false));
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); done(false); });
    window.addEventListener("focus", look);
    dialog.showModal();
    ask(words.session, { cache: "no-store" }).then(take, () => done(false));
  });
}
