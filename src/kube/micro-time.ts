/** `metav1.MicroTime`: exactly six digits after the second. */
export function toMicroTime(date: Date): string {
  return date.toISOString().replace("Z", "000Z");
}
