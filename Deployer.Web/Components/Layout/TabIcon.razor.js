/** Gives the tab another icon of ours. */
export function show(file) {
  const icon = document.querySelector('link[rel="icon"]');
  const address = new URL(file, document.baseURI).href;
  if (icon && icon.href !== address) {
    icon.href = address;
  }
}
