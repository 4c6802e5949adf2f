/**
 * Puts text on the clipboard. The promise of it goes there, so that the reader's click still counts when the text had to
 * be fetched first. Pages served without TLS have no clipboard; there the old command does it.
 */
export async function copy(text) {
  if (navigator.clipboard?.write) {
    const blob = text.then(value => new Blob([value], { type: 'text/plain' }));
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
    return;
  }
  const area = document.createElement('textarea');
  area.value = await text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) {
    throw new Error('copy refused');
  }
}
