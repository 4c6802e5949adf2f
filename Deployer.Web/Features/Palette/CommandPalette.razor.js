const ours = new Set(['ArrowDown', 'ArrowUp', 'Enter']);

/** Opens the palette by its keys, without a way to the server and back; what it offers comes from there. */
export function attach(dialog, input, component) {
  const open = () => {
    if (!dialog.open) {
      input.value = '';
      dialog.showModal();
      input.focus();
      component.invokeMethodAsync('OpenedAsync');
    }
  };
  const pressed = event => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      if (dialog.open) {
        dialog.close();
      } else if (!document.querySelector('.mud-dialog')) {
        open();
      }
    }
  };
  const typed = event => {
    if (ours.has(event.key)) {
      event.preventDefault();
    }
  };
  const clicked = event => {
    if (event.target === dialog) {
      dialog.close();
    }
  };
  const closed = () => component.invokeMethodAsync('Closed');

  document.addEventListener('keydown', pressed);
  input.addEventListener('keydown', typed);
  dialog.addEventListener('click', clicked);
  dialog.addEventListener('close', closed);
  return {
    open,
    close: () => dialog.close(),
    dispose: () => document.removeEventListener('keydown', pressed),
  };
}
