// Verifies the trail in steps and shows how far it is. Without this script the server walks it in one request.
const form = document.querySelector("[data-verify]");
const bar = form?.querySelector("progress");
const verdict = form?.querySelector("[data-verdict]");
const button = form?.querySelector("button");

async function step(after) {
  const body = new FormData(form);
  body.set("after", after);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  bar.hidden = false;
  verdict.textContent = "";
  verdict.className = "hint";
  try {
    let told = { reached: 0, over: false };
    while (!told.over) {
      told = await step(told.reached);
      bar.value = told.last ? told.reached / told.last : 1;
    }
    verdict.className = told.broken ? "pill is-danger" : "pill is-ok";
    verdict.textContent = told.words;
    bar.hidden = true;
    button.disabled = false;
  } catch {
    form.submit();
  }
});
