/** Wraps a marker in an HTML comment. Replaces special characters, so that the marker cannot end the comment. */
export function hiddenMarker(marker: string): string {
  return `<!-- bellhop:${marker.replace(/[^A-Za-z0-9_.:/-]/g, "_").replaceAll("--", "-_")} -->`;
}
