import { afterAll, beforeAll, describe } from "vitest";
import { providers } from "../../src/integrations/registry.ts";
import { conformance, type RunningSubject, type Subject } from "./conformance.ts";
import { showsHostileText } from "./hostile-suite.ts";

/** Exports of `test/providers/<provider>/subject.ts`. */
interface SubjectModule {
  startSubject(): Promise<RunningSubject>;
}

for (const name of Object.keys(providers)) {
  let running: RunningSubject | undefined;
  beforeAll(async () => {
    const module = (await import(`./${name}/subject.ts`)) as SubjectModule;
    running = await module.startSubject();
  }, 60_000);
  afterAll(() => running?.close());
  const subject = (): Subject => {
    if (!running) throw new Error(`the subject of provider ${name} did not start`);
    return running.subject;
  };
  conformance(name, subject);
  describe(`provider ${name}, with hostile text`, () => {
    showsHostileText(subject);
  });
}
