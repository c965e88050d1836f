import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { providers } from "../../src/integrations/registry.ts";
import { root } from "../docs.ts";
import { conformance, type RunningSubject, type Subject } from "./conformance.ts";
import { guide } from "./files.ts";
import { showsHostileText } from "./hostile-suite.ts";

/** Exports of `test/providers/<provider>/subject.ts`. */
interface SubjectModule {
  startSubject(): Promise<RunningSubject>;
}

describe.each(Object.keys(providers))("the provider %s", (name) => {
  let running: RunningSubject | undefined;
  beforeAll(async () => {
    running = await startSubjectOf(name);
  }, 60_000);
  afterAll(() => running?.close());
  const subject = (): Subject => {
    if (!running) throw new Error(`the subject of provider ${name} did not start`);
    return running.subject;
  };
  conformance(name, subject);
  describe("with hostile text", () => {
    showsHostileText(subject);
  });
});

async function startSubjectOf(name: string): Promise<RunningSubject> {
  const file = `test/providers/${name}/subject.ts`;
  if (!existsSync(join(root, file))) throw new Error(`${file} does not exist: write it (${guide}, step 6)`);
  const { startSubject } = (await import(join(root, file))) as SubjectModule;
  return startSubject();
}
