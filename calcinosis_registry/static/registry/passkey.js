// Passkeys: a form with data-passkey="create" or "get" asks the browser for one and sends what it answers.
// The options stand in a JSON block the form names in data-options; the answer goes into its field "credential".

const bytes = (text) => {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(plain), (sign) => sign.charCodeAt(0));
};

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

function readOptions(form) {
  const { publicKey } = JSON.parse(document.getElementById(form.dataset.options).textContent);
  const read = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (publicKey.user) read.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  if (publicKey.excludeCredentials) read.excludeCredentials = known(publicKey.excludeCredentials);
  if (publicKey.allowCredentials) read.allowCredentials = known(publicKey.allowCredentials);
  return read;
}

function written(credential) {
  const answer = credential.response;
  const response = { clientDataJSON: text(answer.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (answer[part]) response[part] = text(answer[part]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function ask(form, send) {
  const said = form.querySelector("[data-said]");
  said.hidden = true;
  try {
    const publicKey = readOptions(form);
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = written(credential);
    send(form);
  } catch (error) {
    said.textContent = error.name === "InvalidStateError" ? said.dataset.known : said.dataset.failed;
    said.hidden = false;
  }
}

// ``send`` gets the form once the browser has answered; by itself it goes to its own page.
export function attach(form, send = (one) => one.submit()) {
  const able = window.isSecureContext && "credentials" in navigator && "PublicKeyCredential" in window;
  form.querySelector("[data-unable]").hidden = able;
  form.querySelector("button[type=submit]").disabled = !able;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form, send);
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) attach(form);
