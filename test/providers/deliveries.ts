import type { Delivery } from "../../src/integrations/ingress.ts";

/** A request that a stand-in sent to the receiver of a test, as a delivery. Throws if there was none. */
export function deliveryOf(
  received: { headers: Readonly<Record<string, string | string[] | undefined>>; body: string } | undefined,
): Delivery {
  if (!received) throw new Error("the stand-in sent no delivery");
  const headers = new Headers();
  for (const [name, value] of Object.entries(received.headers))
    if (value !== undefined) headers.set(name, String(value));
  const { body } = received;
  return {
    headers: { get: (name) => headers.get(name) ?? undefined },
    body: Buffer.from(body),
    receivedAt: new Date(),
  };
}
