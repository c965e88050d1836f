/** Wraps a marker in an HTML comment. Replaces special characters, so that the marker cannot end the comment. */
export function hiddenMarker(marker: string): string {
  return `${beginning}${marker.replace(/[^A-Za-z0-9_.:/-]/g, "_").replaceAll("--", "-_")} -->`;
}

const beginning = "<!-- bellhop:";

/**
 * Whether an installation of Bellhop wrote the text: this one or another one, whose bot may be an ordinary user account. Such a text triggers
 * nothing, so that two installations cannot answer each other. GitHub leaves comments out of quotations, so a person's reply has no marker.
 */
export function hasMarker(text: string): boolean {
  return text.includes(beginning);
}
