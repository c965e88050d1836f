import { createSocket } from "node:dgram";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../shared/fake-clock.ts";
import { answers, egressMessage, probeEgress, probesOf } from "./probe-egress.ts";

const api = { name: "API server", host: "192.0.2.1", port: 443 };
const node = { name: "another node", host: "192.0.2.2", port: 10_250 };

describe("the egress probe", () => {
  it("ends at once if no address answers", async () => {
    expect(await probeEgress([api, node], { clock: new FakeClock(), answers: () => Promise.resolve(false) })).toEqual(
      [],
    );
  });

  it("probes an address that answers again, because policies take effect with a delay", async () => {
    const clock = new FakeClock();
    const start = clock.now().getTime();
    const open = probeEgress([api, node], {
      clock,
      answers: () => Promise.resolve(clock.now().getTime() - start < 8000),
    });
    await clock.advance(9000);
    expect(await open).toEqual([]);
  });

  it("names the addresses that still answer after 10 s, and the possible fixes", async () => {
    const clock = new FakeClock();
    const open = probeEgress([api, node], { clock, answers: (probe) => Promise.resolve(probe === node) });
    await clock.advance(11_000);
    expect(await open).toEqual([node]);
    expect(egressMessage([node])).toMatch(/another node \(192\.0\.2\.2:10250\).*acceptOwnNode/);
  });

  it("counts an accepted connection as an answer, and a refused one as none", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const probe = { name: "API server", host: "127.0.0.1", port };
    expect(await answers(probe)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await answers(probe)).toBe(false);
  });

  it("counts any reply of a name server over UDP as an answer, and silence as none", async () => {
    const asked: string[] = [];
    const server = createSocket("udp4");
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const probe = { name: "cluster DNS", host: "127.0.0.1", port: server.address().port, protocol: "dns" as const };
    server.once("message", (question) => asked.push(question.toString("latin1")));
    expect(await answers(probe)).toBe(false);
    expect(asked).toEqual([
      expect.stringContaining("\nkubernetes\x07default\x03svc\x07cluster\x05local\0\0\x01\0\x01"),
    ]);
    // The response code "refused": an error is a reply too.
    server.on("message", (_question, { port }) => server.send(Buffer.from("8105", "hex"), port, "127.0.0.1"));
    expect(await answers(probe)).toBe(true);
    await new Promise<void>((resolve) => server.close(resolve));
    expect(await answers(probe)).toBe(false);
    expect(egressMessage([probe])).toContain(`cluster DNS (127.0.0.1:${probe.port}/UDP)`);
  });

  it("counts an address without a route as one that does not answer, also over UDP", async () => {
    // The system refuses to connect to a broadcast address, as it does without a route.
    const probe = { name: "cluster DNS", host: "255.255.255.255", port: 53, protocol: "dns" as const };
    expect(await answers(probe)).toBe(false);
  });

  it("does not probe the pod's own node if the profile accepts that it is open", () => {
    const egress = { probes: [node, { name: "API server", host: "192.0.2.9", port: 6443 }], notProbed: [] };
    expect(probesOf({ ...egress, acceptOwnNode: false }, node.host)).toHaveLength(2);
    expect(probesOf({ ...egress, acceptOwnNode: true }, node.host)).toEqual([egress.probes[1]]);
    expect(probesOf({ ...egress, acceptOwnNode: true }, undefined)).toHaveLength(2);
  });
});
