import { describe, expect, it } from "vitest";
import { parseCommand } from "./command.ts";

describe("parseCommand", () => {
  it.each([
    ["stop", { command: "stop" }],
    ["  Stop!  \nthank you", { command: "stop" }],
    ["retry.", { command: "retry" }],
    ["status", { command: "status" }],
    ["continue\r\n\r\nwith the second", { command: "continue" }],
    ["HELP", { command: "help" }],
    ["approve 1a2b3c4", { command: "approve", argument: "1a2b3c4" }],
    ["Approve  1A2B3C4D", { command: "approve", argument: "1a2b3c4d" }],
    ["approve", { command: "approve" }],
  ])("reads %j as a command", (text, expected) => {
    expect(parseCommand(text)).toEqual(expected);
  });

  it.each([
    ["stop using tabs"],
    ["please stop"],
    ["fix it\nstop"],
    ["approve of this"],
    ["approve 12"],
    ["approve 1a2b3c4 and merge"],
    [""],
    ["stop?"],
  ])("reads %j as a request for work", (text) => {
    expect(parseCommand(text)).toBeUndefined();
  });
});
