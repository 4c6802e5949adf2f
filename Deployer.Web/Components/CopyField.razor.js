// Marks the text and copies it. Browsers offer the clipboard to secure addresses alone; the mark stays where they do not.
export async function copy(input) {
  input.focus();
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    return false;
  }
}
