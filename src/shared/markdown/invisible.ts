/**
 * Characters that a person does not see but a model reads: control characters (except line feed and tab), soft hyphen, zero-width
 * characters and joiners, direction marks and overrides, invisible operators, variation selectors, annotation and tag characters, and
 * invisible fillers.
 */
const invisibleRanges = [
  String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f`,
  String.raw`\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff`,
  String.raw`\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}`,
];
const invisible = new RegExp(String.raw`[${invisibleRanges.join("")}]|\p{Surrogate}`, "gu");

/** Named HTML entities for invisible characters. */
const invisibleNames = new Set(
  "ZeroWidthSpace NegativeVeryThinSpace NegativeThinSpace NegativeMediumSpace NegativeThickSpace NoBreak shy lrm rlm zwj zwnj af ApplyFunction it InvisibleTimes ic InvisibleComma".split(
    " ",
  ),
);

const entity = /&(?:#(\d{1,8})|#[xX]([0-9A-Fa-f]{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));/g;

/** Removes invisible characters, and converts line ends to line feeds. */
export function withoutInvisible(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(invisible, "");
}

/** Removes entities for invisible characters, and decodes numeric entities for letters and digits. */
export function withoutInvisibleEntities(text: string): string {
  return text.replace(entity, (whole: string, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return invisibleNames.has(name) ? "" : whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    if (!(code > 0 && code <= 0x10ffff)) return "";
    const character = String.fromCodePoint(code);
    if (withoutInvisible(character) === "") return "";
    return /^[\p{L}\p{N} ]$/u.test(character) ? character : whole;
  });
}
