/** Texts of strangers, made such that what is shown is what is there. */

// Controls, what turns the direction of writing, and what has no width; but for what joins emoji.
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}]|(?!\u200d)\p{Cf}/gu;
// Tabs and ends of lines a text may have, and nobody is misled by what has no width in it.
const UNSEEN_IN_TEXT = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

const escaped = (sign: string): string => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;

/** A name in one line: a sign that cannot be seen, or would turn those after it round, is written as its number. */
export const plainName = (name: string): string => name.replace(UNSEEN, escaped);

/** A text in lines, as it is but for such signs. */
export const plainText = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replace(UNSEEN_IN_TEXT, escaped);
