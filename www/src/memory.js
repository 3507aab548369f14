// What the page remembers of its reader: language and theme, nothing else. Storage may be forbidden; then it forgets.

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // The choice holds until the page is left.
  }
}

/** What was remembered, if it is one of the values that are known. */
export function remembered(name, known) {
  try {
    const value = localStorage.getItem(name);
    return known.includes(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
