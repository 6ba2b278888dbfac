// Who is signed in, and signing in again without leaving the page: the sign-in pages are shown inside a dialog, step by
// step (password, second factor), until the server says who it is.

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

function formOf(found) {
  const forms = [...(found.page?.querySelectorAll("main form") ?? [])];
  return forms.find((one) => one.querySelector("input:not([type=hidden])"));
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
      const next = found.person ? null : formOf(found);
      holder.replaceChildren(...(next ? [next] : []));
      if (next) show(next, found.url);
    }

    function show(next, url) {
      const action = new URL(next.getAttribute("action") || url, url);
      if (!next.querySelector("[name=next]")) action.searchParams.set("next", words.session);
      else next.querySelector("[name=next]").value = words.session;
      next.addEventListener("submit", async (event) => {
        event.preventDefault();
        const body = new URLSearchParams(new FormData(next, event.submitter));
        try { take(await ask(action, { method: "POST", body })); } catch { dialog.querySelector("[data-later]").focus(); }
      });
      for (const other of next.querySelectorAll("button[form]")) other.remove();
      for (const link of next.querySelectorAll("a")) link.target = "_blank"; // this page stays
      const inputs = [...next.querySelectorAll("input:not([type=hidden])")];
      (inputs.find((one) => !one.value) ?? inputs[0]).focus();
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
