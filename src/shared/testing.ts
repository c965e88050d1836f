/** A method that the test does not expect to be called: it rejects and names itself. */
export function unexpected(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`the test does not expect a call of ${name}`));
}
