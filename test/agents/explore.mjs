// An agent that explores its sandbox: it tries the given addresses (HOST:PORT …), reads every readable file, and writes
// the results to explored.json for a test. It makes README.md executable, because it owns the checkout.
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

chmodSync("README.md", 0o755);

const places = [
  "/bellhop",
  "/var/run/secrets",
  "/run/secrets",
  "/etc/resolv.conf",
  process.env.HOME ?? "/",
  ".git/config",
];
const environments = readdirSync("/proc")
  .filter((name) => /^\d+$/.test(name))
  .map((pid) => `/proc/${pid}/environ`);

const tried = await Promise.all(
  process.argv.slice(2).map(async (address) => ({ address, open: await opens(address) })),
);
const files = Object.fromEntries([...places.flatMap(below), ...environments].flatMap(contents));
const reached = tried.filter(({ open }) => open).map(({ address }) => address);
writeFileSync(
  "explored.json",
  `${JSON.stringify({ user: process.getuid(), tried: tried.length, reached, files }, undefined, 1)}\n`,
);

function opens(address) {
  const [host, port] = address.split(":");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 3000 });
    const end = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket
      .once("connect", () => end(true))
      .once("timeout", () => end(false))
      .once("error", () => end(false));
  });
}

function below(path) {
  try {
    return statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => below(join(path, name))) : [path];
  } catch {
    return [];
  }
}

function contents(path) {
  try {
    return [[path, readFileSync(path, "utf8").slice(0, 16_384)]];
  } catch {
    return [];
  }
}
