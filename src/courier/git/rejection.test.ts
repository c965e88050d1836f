import { describe, expect, it } from "vitest";
import { explainRejection } from "./rejection.ts";

const branch = "bellhop/42-fix";
const remote = (text: string): string =>
  [
    ...text.split("\n").map((line) => `remote: ${line}`),
    "To https://broker/git/9001",
    ` ! [remote rejected] abc -> ${branch} (push declined due to repository rule violations)`,
    "error: failed to push some refs to 'https://broker/git/9001'",
  ].join("\n");

/** GitHub's answer to a push with a secret. */
const secret = remote(`error: GH013: Repository rule violations found for refs/heads/${branch}.
Review all repository rules at https://github.com/acme/shop/rules?ref=refs%2Fheads%2Fbellhop%2F42-fix

- GITHUB PUSH PROTECTION
  —————————————————————————————————————————
    Resolve the following violations before pushing again

    - Push cannot contain secrets


     (?) Learn how to resolve a blocked push
     https://docs.github.com/code-security/secret-scanning/working-with-secret-scanning-and-push-protection

      —— GitHub Personal Access Token ——————————————————————
       locations:
         - commit: 8728dbe67
           path: config/settings.yml:12

       (?) To push, remove secret from commit(s) or follow this URL to allow the secret.
       https://github.com/acme/shop/security/secret-scanning/unblock-secret/1`);

describe("the explanation of a rejected push", () => {
  it("begins with a plain reason, then the code and the sentences of the host, then what to do", () => {
    expect(explainRejection(branch, secret)).toBe(
      "The change contains something that looks like a secret, and the code host refuses secrets (`bellhop/42-fix`). " +
        "It says: GH013: Repository rule violations found for refs/heads/bellhop/42-fix; GITHUB PUSH PROTECTION; " +
        "Push cannot contain secrets; GitHub Personal Access Token; commit: 8728dbe67; path: config/settings.yml:12. " +
        "Remove it from the request or the repository, or allow it at the code host, and use the command `retry`.",
    );
  });

  it.each([
    ["- Cannot create ref due to creations being restricted.", "forbids the creation of this branch"],
    ["- Commits must have verified signatures.", "requires signed commits"],
    [`error: GH006: Protected branch update failed for refs/heads/${branch}.`, "The branch is protected"],
    ["- Changes must be made through a pull request.", "The branch is protected"],
  ])("names a rule that it knows: %s", (line, because) => {
    const text = explainRejection(branch, remote(line));
    expect(text.indexOf(because)).toBeLessThan(60);
    expect(text).toContain(because);
  });

  it("says that another branch has a part of the name", () => {
    const text = `error: cannot lock ref 'refs/heads/${branch}': 'refs/heads/bellhop' exists; cannot create 'refs/heads/${branch}'`;
    expect(explainRejection(branch, text)).toContain("Another branch has a name that is a part of this one");
    const summary = ` ! [remote rejected] abc -> ${branch} (directory file conflict)`;
    expect(explainRejection(branch, summary)).toContain("Another branch has a name that is a part of this one");
  });

  it("quotes a reason that it does not know, and invents none", () => {
    expect(explainRejection(branch, remote("The build server is on fire"))).toBe(
      "The code host rejected the push (`bellhop/42-fix`). It says: The build server is on fire.",
    );
    const summary = ` ! [remote rejected] abc -> ${branch} (pre-receive hook declined)`;
    expect(explainRejection(branch, summary)).toContain("It says: pre-receive hook declined.");
    expect(explainRejection(branch, "")).toBe("The code host rejected the push (`bellhop/42-fix`).");
  });

  it("stays short, in one line and without control characters, whatever the server sends", () => {
    const hostile = remote(`\u001b[31m${"x".repeat(50_000)}\u0007\nremote: y`);
    const text = explainRejection(branch, hostile);
    expect(text.length).toBeLessThan(700);
    expect(text).not.toMatch(/[\u0000-\u001f]/);
  });
});
