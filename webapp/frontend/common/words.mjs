// Translation in the browser. English is the message id; the page's language decides which dictionary is loaded.
const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
const dictionary = (await import(`/words/${language}.mjs`)).default;

/** The text of a message in the page's language; `%(name)s` places are filled from `params`. */
export function t(message, params = {}) {
  const text = dictionary[message] ?? message;
  return text.replace(/%\((\w+)\)s/g, (whole, key) => (key in params ? String(params[key]) : whole));
}

/** A word of the house: `word("status", "received")` is 已受理, or "Received" in English. */
export function word(kind, value) {
  const key = `${kind}:${value}`;
  if (key in dictionary) return dictionary[key];
  const plain = String(value).replaceAll("_", " ").replaceAll(".", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export { language };
