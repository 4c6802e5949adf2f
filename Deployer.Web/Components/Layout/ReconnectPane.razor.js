// Blazor drives the element with this id: it sets the classes components-reconnect-show, -retrying, -failed, -paused …
// and raises components-reconnect-state-changed. The pane is a non-modal dialog: what is on the page stays readable.
const pane = document.getElementById('components-reconnect-modal');

// Blazor tries again when it lost a connection, but not when the first one of a page fails.
const FirstConnection = 20000;
setTimeout(startAgain, FirstConnection);

pane.addEventListener('components-reconnect-state-changed', event => {
  switch (event.detail.state) {
    case 'show':
    case 'paused':
      pane.show();
      break;
    case 'hide':
      pane.close();
      break;
    case 'failed':
      document.addEventListener('visibilitychange', whenVisible);
      waitForServer();
      break;
    case 'rejected':
      // The server is new and does not know this page's circuit: the address holds all that is needed to go on.
      location.reload();
      break;
  }
});

document.getElementById('components-reconnect-button').addEventListener('click', reconnect);
document.getElementById('components-resume-button').addEventListener('click', async () => {
  if (!await Blazor.resumeCircuit()) {
    location.reload();
  }
});

async function reconnect() {
  document.removeEventListener('visibilitychange', whenVisible);
  try {
    if (!await Blazor.reconnect() && !await Blazor.resumeCircuit()) {
      location.reload();
      return;
    }
    pane.close();
  } catch {
    // Not reached: go on waiting, and try at once when the reader comes back to this tab.
    document.addEventListener('visibilitychange', whenVisible);
  }
}

async function startAgain() {
  if (!document.querySelector('body > .splash')?.checkVisibility()) {
    return;
  }
  if (await isUp()) {
    location.reload();
  } else {
    setTimeout(startAgain, 5000);
  }
}

function whenVisible() {
  if (document.visibilityState === 'visible') {
    reconnect();
  }
}

// After Blazor gave up, a server that comes back is noticed by its health address.
async function waitForServer() {
  while (pane.open) {
    await new Promise(resolve => setTimeout(resolve, 5000));
    if (await isUp()) {
      await reconnect();
      return;
    }
  }
}

async function isUp() {
  try {
    return (await fetch('health/live', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}
