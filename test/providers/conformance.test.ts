import { afterAll, beforeAll } from "vitest";
import { providers } from "../../src/integrations/registry.ts";
import { conformance, type RunningSubject } from "./conformance.ts";

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
  conformance(name, () => {
    if (!running) throw new Error(`the subject of provider ${name} did not start`);
    return running.subject;
  });
}
