const year = 365 * 24 * 60 * 60;

/** Keeps the reader's theme in a cookie and applies it to the page's frame; null forgets it. */
export function remember(cookie, choice) {
  document.cookie = `${cookie}=${choice ?? ''}; path=/; max-age=${choice ? year : 0}; samesite=lax`;
  if (choice) {
    document.documentElement.dataset.theme = choice;
  } else {
    delete document.documentElement.dataset.theme;
  }
}
