// What to say of an argument that the command does not know.

/** Names an option without its value, and no word that is not one: either may be a secret. */
export function unknownArgument(arg, known = []) {
  const [, option, value] = /^(--[a-z][a-z-]{0,29}|-[A-Za-z])(=.*)?$/s.exec(arg) ?? [];
  if (option === undefined) return arg.startsWith("-") ? "unknown option" : "unknown argument";
  return value !== undefined && known.includes(option) ? `${option} takes no value` : `unknown option ${option}`;
}
