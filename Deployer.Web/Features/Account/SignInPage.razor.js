// Passkey ceremonies (WebAuthn Level 3): the form asks the server for options, the browser for a credential, and is sent
// with the credential as JSON. Without WebAuthn in the browser it says so.
for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', event => {
    event.preventDefault();
    void perform(form);
  });
}

async function perform(form) {
  const status = form.querySelector('[role=status]');
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    status.textContent = 'This browser does not offer passkeys at this address. They need https, or localhost by that name.';
    return;
  }

  status.textContent = 'Follow your browser…';
  try {
    const response = await fetch(form.dataset.options, { method: 'POST', body: new FormData(form) });
    if (!response.ok) {
      throw new Error(`The server answered ${response.status}.`);
    }

    const options = await response.json();
    const credential = form.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    status.textContent = error.name === 'NotAllowedError'
      ? 'The passkey was not used. Try again when you are ready.'
      : `The passkey could not be used. ${error.message}`;
  }
}
