// The line that a permalink in the address marks (#L7, #L7-L9), or null.
export function markedLine() {
  const line = /^#L(\d{1,15})\b/.exec(location.hash);
  return line ? Number(line[1]) : null;
}

// Brings a comment into view and gives it the focus.
export function show(id) {
  const comment = document.getElementById(id);
  comment?.closest('li').scrollIntoView({ block: 'nearest' });
  comment?.focus({ preventScroll: true });
}
