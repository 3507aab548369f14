/** French as it is typeset: a space that does not break before its high punctuation. */
export const typeset = (text) => text.replaceAll(/ (?=[:;?!»](?:\s|$))/g, "\u00a0");
