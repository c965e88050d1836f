/** An answer that a browser got: a page, or the address to which it was sent. */
export interface Opened {
  status: number;
  text: string;
  headers: Headers;
  location: string | undefined;
}

/**
 * A browser with a cookie jar, for pages on loopback. It keeps the rules of `__Host-` cookies, counts loopback as secure as browsers do, and
 * follows no redirect: the test does what the person does at the other page.
 */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Opens an address, as if the person had followed a link. */
  async open(address: string): Promise<Opened> {
    // Cookies are for a host name, whatever the port.
    const { hostname } = new URL(address);
    const jar = this.#cookies.get(hostname) ?? new Map<string, string>();
    this.#cookies.set(hostname, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(address, { redirect: "manual", headers: cookie === "" ? {} : { cookie } });
    for (const line of response.headers.getSetCookie()) keep(jar, line);
    const location = response.headers.get("location") ?? undefined;
    return { status: response.status, text: await response.text(), headers: response.headers, location };
  }

  /** The values of its cookies. */
  cookies(): string[] {
    return [...this.#cookies.values()].flatMap((jar) => [...jar.values()]);
  }
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const [name = "", value = ""] = pair.split("=");
  const has = (wanted: string): boolean => attributes.some((each) => each.toLowerCase() === wanted);
  const isHost = has("secure") && has("path=/") && !attributes.some((each) => /^domain=/i.test(each));
  if (name.startsWith("__Host-") && !isHost) return;
  jar.set(name, value);
}
