import { describe, expect, it } from "vitest";
import { render, restoreText } from "./render.ts";

const address = "10.0.0.2";
const chain = "BH-E-10.0.0.2";

describe("render", () => {
  it("accepts established connections, sends a restricted pod's packets to its chain, and lets the pod reach itself", () => {
    expect(render([{ address, egress: [] }]).chains.get("BH-POLICY")).toEqual([
      "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
      "-s 10.0.0.2/32 ! -d 10.0.0.2/32 -j BH-E-10.0.0.2",
    ]);
  });

  it("drops packets that no rule returns", () => {
    expect(render([{ address, egress: [] }]).chains.get(chain)).toEqual(["-j DROP"]);
    expect(render([{ address, egress: [{ peers: "any", ports: "any" }] }]).chains.get(chain)).toEqual([
      "-j RETURN",
      "-j DROP",
    ]);
  });

  it("writes a block with exceptions as a set with `nomatch` for the narrower ranges, and no range of length 0", () => {
    const peers = [{ cidrs: ["0.0.0.0/0"], except: ["10.0.0.0/8"] }];
    const { sets } = render([{ address, egress: [{ peers, ports: "any" }] }]);
    expect([...sets.values()]).toEqual([["0.0.0.0/1", "10.0.0.0/8 nomatch", "128.0.0.0/1"]]);
  });

  it("allows nothing for a rule whose peers are not pods, or have IPv6 addresses", () => {
    const none = [
      { cidrs: [], except: [] },
      { cidrs: ["::/0"], except: [] },
    ];
    expect(render([{ address, egress: [{ peers: none, ports: "any" }] }]).chains.get(chain)).toEqual(["-j DROP"]);
  });

  it("uses one set for each address block, so that the exception of one block does not affect another", () => {
    const peers = [
      { cidrs: ["10.0.0.0/8"], except: [] },
      { cidrs: ["0.0.0.0/0"], except: ["10.1.0.0/16"] },
    ];
    expect(render([{ address, egress: [{ peers, ports: "any" }] }]).sets.size).toBe(2);
  });
});

describe("restoreText", () => {
  it("replaces every chain at once and removes unused ones", () => {
    const text = restoreText(render([]).chains, ["BH-POLICY", chain]);
    expect(text.split("\n")).toEqual([
      "*mangle",
      ":BH-POLICY - [0:0]",
      `:${chain} - [0:0]`,
      "-A BH-POLICY -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
      `-X ${chain}`,
      "COMMIT",
      "",
    ]);
  });
});
