// Secrets of every kind of text, to be looked for.
export const secrets = {
  ASCII: "s3cr3t-of-the-merchant-0123456789",
  "Latin-1": "clé-secrète-élève-123£-àâæ",
  Greek: "μυστικό-κλειδί-εμπόρου-42",
  "beyond the BMP": "🔐секрет-🗝️-mot-de-passe-𝒳",
  long: "0123456789abcdef".repeat(600),
  short: "kz#9",
};

export const apiKey = "merchant-key-of-the-test";
export const basicOf = (secret) => Buffer.from(`${apiKey}:${secret}`).toString("base64");

// A program gets it backwards, so that its own copies are not found in place of ours.
export const backwards = (text) => [...text].reverse().join("");
