import { describe, expect, it } from "vitest";
import { expand } from "./expand.ts";
import { launched, mapAppSource, mapPath, pathMap } from "./paths.ts";

const map = pathMap(
  {
    name: "agent",
    terminationMessagePath: "/data/last-words",
    volumeMounts: [
      { name: "data", mountPath: "/data" },
      { name: "inner", mountPath: "/data/inner/", subPath: "part" },
    ],
  },
  {
    volume: (name) => `/local/${name}`,
    terminationLog: "/scratch/termination-log",
    app: { root: "/checkout", fromSources: true },
  },
);

describe("mapPath", () => {
  it.each([
    { name: "maps a mount itself", text: "/data", want: "/local/data" },
    { name: "maps a file below it", text: "/data/a/b", want: "/local/data/a/b" },
    { name: "chooses the longest mount, with its subPath", text: "/data/inner/x", want: "/local/inner/part/x" },
    {
      name: "prefers the termination message's path to its mount",
      text: "/data/last-words",
      want: "/scratch/termination-log",
    },
    { name: "maps our image's folder", text: "/app/package.json", want: "/checkout/package.json" },
    { name: "stops at a path boundary", text: "/database", want: "/database" },
    { name: "leaves paths in the middle of a text alone", text: "cat /data/a", want: "cat /data/a" },
    { name: "leaves other paths alone", text: "/etc/passwd", want: "/etc/passwd" },
  ])("$name", ({ text, want }) => expect(mapPath(text, map)).toBe(want));
});

describe("launched", () => {
  it("returns the command that the image's launcher runs, and other commands unchanged", () => {
    expect(launched(["/app/bin/bellhop", "courier", "run"])).toEqual(["node", "/app/dist/courier/main.js", "run"]);
    expect(launched(["/bin/sh", "/bellhop/in/entry.sh", "bellhop"])).toEqual([
      "/bin/sh",
      "/bellhop/in/entry.sh",
      "bellhop",
    ]);
  });
});

describe("mapAppSource", () => {
  it("returns the source of a compiled file if nothing was built", () => {
    const app = { root: "/checkout", fromSources: true };
    expect(mapAppSource("/app/dist/courier/main.js", app)).toBe("/checkout/src/courier/main.ts");
    expect(mapAppSource("/app/dist/courier/main.js", { ...app, fromSources: false })).toBe("/app/dist/courier/main.js");
    expect(mapAppSource("/app/dist/courier/entry.sh", app)).toBe("/app/dist/courier/entry.sh");
  });
});

describe("expand", () => {
  it("replaces known variables, keeps unknown ones, and accepts a doubled dollar sign", () => {
    expect(expand("$(A)-$(B)-$$(A)-$A", { A: "1" })).toBe("1-$(B)-$(A)-$A");
  });
});
