import { createSocket } from "node:dgram";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../shared/fake-clock.ts";
import { answers, egressMessage, probeEgress, probesOf } from "./probe-egress.ts";

const api = { name: "API server", host: "192.0.2.1", port: 443 };
const node = { name: "another node", host: "192.0.2.2", port: 10_250 };

describe("the egress probe", () => {
  it("is content at once when nothing answers", async () => {
    expect(await probeEgress([api, node], { clock: new FakeClock(), answers: () => Promise.resolve(false) })).toEqual(
      [],
    );
  });

  it("tries again what answers, since policies may lag", async () => {
    const clock = new FakeClock();
    const start = clock.now().getTime();
    const open = probeEgress([api, node], {
      clock,
      answers: () => Promise.resolve(clock.now().getTime() - start < 8000),
    });
    await clock.advance(9000);
    expect(await open).toEqual([]);
  });

  it("names what still answers after 10 s, and how to go on", async () => {
    const clock = new FakeClock();
    const open = probeEgress([api, node], { clock, answers: (probe) => Promise.resolve(probe === node) });
    await clock.advance(11_000);
    expect(await open).toEqual([node]);
    expect(egressMessage([node])).toMatch(/another node \(192\.0\.2\.2:10250\).*acceptOwnNode/);
  });

  it("takes a connection for an answer, and a refusal for none", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const probe = { name: "API server", host: "127.0.0.1", port };
    expect(await answers(probe)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await answers(probe)).toBe(false);
  });

  it("takes whatever a name server says over UDP for an answer, and no word for none", async () => {
    const asked: string[] = [];
    const server = createSocket("udp4");
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const probe = { name: "cluster DNS", host: "127.0.0.1", port: server.address().port, protocol: "dns" as const };
    server.once("message", (question) => asked.push(question.toString("latin1")));
    expect(await answers(probe)).toBe(false);
    expect(asked).toEqual([
      expect.stringContaining("\nkubernetes\x07default\x03svc\x07cluster\x05local\0\0\x01\0\x01"),
    ]);
    // Refused: an error is an answer.
    server.on("message", (_question, { port }) => server.send(Buffer.from("8105", "hex"), port, "127.0.0.1"));
    expect(await answers(probe)).toBe(true);
    await new Promise<void>((resolve) => server.close(resolve));
    expect(await answers(probe)).toBe(false);
    expect(egressMessage([probe])).toContain(`cluster DNS (127.0.0.1:${probe.port}/UDP)`);
  });

  it("takes an address that there is no way to for one that does not answer, over UDP as well", async () => {
    // A port that the system refuses to connect to, as it does where there is no route.
    const probe = { name: "cluster DNS", host: "255.255.255.255", port: 53, protocol: "dns" as const };
    expect(await answers(probe)).toBe(false);
  });

  it("leaves the pod's own node out only where the profile accepts it", () => {
    const egress = { probes: [node, { name: "API server", host: "192.0.2.9", port: 6443 }], notProbed: [] };
    expect(probesOf({ ...egress, acceptOwnNode: false }, node.host)).toHaveLength(2);
    expect(probesOf({ ...egress, acceptOwnNode: true }, node.host)).toEqual([egress.probes[1]]);
    expect(probesOf({ ...egress, acceptOwnNode: true }, undefined)).toHaveLength(2);
  });
});
