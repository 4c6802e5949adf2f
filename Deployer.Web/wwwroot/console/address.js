// What the address says of the pane. Blazor keeps its own state of the history entry: it must survive.

/** { from, to } of '#L7' or '#L7-L12', or null. */
export function linesInAddress() {
  const match = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
  if (!match) {
    return null;
  }
  const one = Number(match[1]);
  const other = Number(match[2] ?? match[1]);
  return { from: Math.max(1, Math.min(one, other)), to: Math.max(one, other) };
}

/** The address of lines in this log. */
export function addressOf(from, to) {
  const address = new URL(location.href);
  address.searchParams.delete('at');
  address.hash = `#L${from}${to > from ? `-L${to}` : ''}`;
  return address;
}

/** The line at the top of the pane when the address was last written; null when it says none. */
export function topInAddress() {
  const at = Number(new URL(location.href).searchParams.get('at'));
  return Number.isSafeInteger(at) && at > 0 ? at : null;
}

/** Writes these lines, or none, into the address. */
export function writeLines(marked) {
  if (marked) {
    history.replaceState(history.state, '', addressOf(marked.from, marked.to));
  } else {
    const address = new URL(location.href);
    address.hash = '';
    history.replaceState(history.state, '', address);
  }
}

/** Writes values into the query of the address; what is empty is left out. */
export function writeQuery(values) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
  }
  if (address.href !== location.href) {
    history.replaceState(history.state, '', address);
  }
}
