/** `metav1.MicroTime`: six digits after the second, neither fewer nor more. */
export function toMicroTime(date: Date): string {
  return date.toISOString().replace("Z", "000Z");
}
