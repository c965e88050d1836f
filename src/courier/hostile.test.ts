import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aSandbox, closeSandboxes, sh, type TestSandbox, unkillable } from "./testing.ts";

afterEach(closeSandboxes);

const branch = "refs/heads/bellhop/42-fix-login";

async function run(script: string, base: string): Promise<TestSandbox> {
  const sandbox = await aSandbox({ base });
  await sandbox.checkout();
  sandbox.agent(["/bin/sh", "-c", script]);
  await sandbox.run();
  return sandbox;
}

const published = (sandbox: TestSandbox, file: string): string => sh(sandbox.origin, `git show '${branch}:${file}'`);

describe("a hostile agent", { timeout: 120_000 }, () => {
  it("cannot make the courier run hooks, filters, an fsmonitor or its own git configuration", async () => {
    const sandbox = await run(
      `
      trap_=$BELLHOP_WORKSPACE/../sprung
      printf '#!/bin/sh\\ntouch %s\\ncat\\n' "$trap_" >$HOME/trap.sh; chmod +x $HOME/trap.sh
      mkdir -p .git/hooks
      for hook in pre-commit post-commit pre-push reference-transaction post-index-change; do cp $HOME/trap.sh .git/hooks/$hook; done
      git config core.fsmonitor $HOME/trap.sh; git config filter.evil.clean $HOME/trap.sh; git config core.hooksPath $PWD/.git/hooks
      git config core.sshCommand $HOME/trap.sh; git config diff.external $HOME/trap.sh; git config core.pager $HOME/trap.sh
      echo '* filter=evil diff=evil' >.gitattributes; git config diff.evil.command $HOME/trap.sh; git config diff.evil.textconv $HOME/trap.sh
      echo changed >file`,
      "echo one >file",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(published(sandbox, "file")).toBe("changed\n");
    expect(existsSync(path.join(sandbox.root, "sprung"))).toBe(false);
  });

  it("cannot change bytes with attributes: line ends, ident and encodings stay unchanged in checkout and import", async () => {
    const sandbox = await run(
      `
      grep -q '^\\$Id\\$$' ident && [ "$(od -An -c crlf | tr -d ' ')" = 'a\\r\\nb\\n' ] || exit 5
      printf 'x\\r\\ny\\n' >crlf; printf '$Id: forged $\\n' >ident; printf '\\376\\377\\000h' >utf16; echo 'oid sha256:2' >large.bin`,
      `git config core.autocrlf false
      printf '* -text\\n' >.gitattributes; printf 'a\\r\\nb\\n' >crlf; printf '$Id$\\n' >ident; printf 'h' >utf16; echo 'oid sha256:1' >large.bin
      git add -A; git commit -qm one
      printf 'crlf text eol=lf\\nident ident\\nutf16 text working-tree-encoding=UTF-16\\n*.bin filter=lfs\\n' >.gitattributes
      git add .gitattributes; git commit -qm attributes -- .gitattributes; git update-index --assume-unchanged crlf ident utf16 large.bin`,
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(published(sandbox, "crlf")).toBe("x\r\ny\n");
    expect(published(sandbox, "ident")).toBe("$Id: forged $\n");
    expect(published(sandbox, "large.bin")).toBe("oid sha256:2\n");
    expect(sh(sandbox.origin, `git cat-file -s ${branch}:utf16`).trim()).toBe("4");
  });

  it("cannot publish the courier's token through links in place of its own files", async () => {
    const sandbox = await run(
      `
      secret=$BELLHOP_WORKSPACE/../token
      for name in events.jsonl exit stopped; do rm -f $BELLHOP_OUT/$name; ln -s $secret $BELLHOP_OUT/$name; done
      rm -f $BELLHOP_OUT/output.log; ln -s $secret $BELLHOP_OUT/output.log
      ln -s $secret leak; mkdir d; rm -rf src; ln -s $BELLHOP_WORKSPACE/../context src
      exit 4`,
      "mkdir src; echo a >src/sandbox.json",
    );
    const sent = JSON.stringify([sandbox.outcome(), sandbox.testBroker.proposals, sandbox.testBroker.events]);
    expect(sent).not.toContain(sandbox.testBroker.token);
    expect(sandbox.testBroker.pushes).toEqual([]);
  });

  it("cannot make the courier read a file with a second hard link as its events", async () => {
    const sandbox = await run(
      `
      printf '%s\\n' '{"type":"message","text":"of another volume"}' >theirs
      rm -f $BELLHOP_OUT/events.jsonl; ln theirs $BELLHOP_OUT/events.jsonl`,
      "echo a >file",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(statSync(path.join(sandbox.places.out, "events.jsonl")).nlink).toBe(2);
    expect(sandbox.testBroker.events).toEqual([]);
  });

  it("has its links published as links, and files behind a replaced folder as deleted", async () => {
    const sandbox = await run(
      "ln -s ../token leak; rm -rf src; ln -s ../context src",
      "mkdir src; echo a >src/sandbox.json",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(published(sandbox, "leak")).toBe("../token");
    expect(sh(sandbox.origin, `git ls-tree -r ${branch} | cut -c1-6,53-`)).toMatch(/120000\s+leak\n120000\s+src\n/);
    expect(sh(sandbox.origin, `git log -p ${branch}`)).not.toContain(sandbox.testBroker.token);
  });

  it("cannot block the courier with FIFOs or unknown events, nor deceive it with forged files", async () => {
    const sandbox = await run(
      `
      mkfifo pipe; rm tracked; mkfifo tracked
      printf '%s\\n' 'no json' '{"type":"cost","usd":0}' '{"type":"published","commit":"f00"}' '[1' '{"type":"progress","text":7}' >>$BELLHOP_OUT/events.jsonl
      head -c 200000 /dev/zero | tr '\\0' a >>$BELLHOP_OUT/events.jsonl; echo >>$BELLHOP_OUT/events.jsonl
      printf '%s\\n' '{"type":"message","text":"still heard"}' >>$BELLHOP_OUT/events.jsonl
      echo new >new`,
      "echo a >tracked",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(sandbox.testBroker.events).toEqual([{ type: "message", text: "still heard" }]);
    expect(sandbox.testBroker.proposals.at(-1)).toMatchObject({
      files: 1,
      skipped: [expect.stringContaining("pipe"), expect.stringContaining("tracked")],
    });
    expect(published(sandbox, "tracked")).toBe("a\n");
  });

  it("can print 100 MB, of which 10 MiB are kept", async () => {
    const sandbox = await run("head -c 100000000 /dev/zero; echo x >new", "echo a >file");
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(statSync(path.join(sandbox.places.out, "output.log")).size).toBe(10 * 1024 * 1024);
  });

  it("leaves no process that writes after its end, not even one outside its process group", async () => {
    const sandbox = await run(
      `
      setsid sh -c 'while :; do date >>late; sleep 0.1; done' >/dev/null 2>&1 &
      (trap '' TERM HUP; while :; do date >>later; sleep 0.1; done) &
      while ! [ -s late ] || ! [ -s later ]; do sleep 0.1; done`,
      "echo a >file",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    const now = (): string => readFileSync(path.join(sandbox.places.workspace, "late"), "utf8");
    expect(published(sandbox, "late")).toBe(now());
  });

  it("has nothing published if one of its processes cannot be ended, and the outcome says so", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    await sandbox.checkout();
    sandbox.agent(["/bin/sh", "-c", "echo x >new"], { programs: unkillable });
    expect(await sandbox.run()).toMatchObject({ reason: "AgentStillWriting" });
    expect(sandbox.testBroker.proposals).toEqual([]);
    expect(existsSync(path.join(sandbox.places.in, "stop"))).toBe(true);
  });

  it("cannot add a `.git` folder under another spelling", async () => {
    const sandbox = await run(
      `mkdir -p .GIT/hooks sub/.git 'git~1' "$(printf '.g\\342\\200\\214it')"
      for d in .GIT/hooks sub/.git 'git~1' "$(printf '.g\\342\\200\\214it')"; do echo evil >$d/config; done; echo fine >sub/fine`,
      "echo a >file",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    expect(sh(sandbox.origin, `git ls-tree -r --name-only ${branch}`)).toBe("file\nsub/fine\n");
    expect(sandbox.testBroker.proposals.at(-1)?.skipped).toHaveLength(4);
  });

  it("can use names in any encoding, rename, delete, and replace files with folders and the reverse", async () => {
    const sandbox = await run(
      `mv ordner/größe.txt 'neu "quoted" ñ.txt'; rm gone; rm becomes-folder; mkdir becomes-folder; echo in >becomes-folder/f
      rm -r becomes-file; echo now >becomes-file; printf x >"$(printf 'latin-\\351')"; printf y >'line
break'; printf z >':(glob)magic'; printf w >'-dash'; chmod +x run`,
      "mkdir ordner becomes-file; echo g >ordner/größe.txt; echo g >gone; echo f >becomes-folder; echo f >becomes-file/f; echo r >run",
    );
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    const agentsView = sh(sandbox.places.workspace, "git add -A && git write-tree").trim();
    expect(sh(sandbox.origin, `git rev-parse ${branch}^{tree}`).trim()).toBe(agentsView);
  });

  it("cannot hide its changes with its own ignore files, because only those of the base count", async () => {
    const sandbox = await run(
      "echo '*' >.gitignore; echo changed >file; echo new >other; mkdir x; echo y >x/y",
      "echo '*.log' >.gitignore; echo a >file",
    );
    expect(sh(sandbox.origin, `git diff --name-only ${branch}^ ${branch}`)).toBe(".gitignore\nfile\nother\nx/y\n");
  });
});

describe("a hostile repository", { timeout: 60_000 }, () => {
  it("writes nothing outside the workspace or into `.git`; refused paths stay unchanged in the commit", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const tree = (entries: string): string => sh(sandbox.origin, `printf '${entries}' | git mktree`).trim();
    const blob = sh(sandbox.origin, "echo evil | git hash-object -w --stdin").trim();
    const target = sh(sandbox.origin, "printf ../.. | git hash-object -w --stdin").trim();
    const inner = tree(`100644 blob ${blob}\\tconfig\\n`);
    const head = sh(
      sandbox.origin,
      `printf '040000 tree ${inner}\\t.GIT\\n040000 tree ${inner}\\t..\\n120000 blob ${target}\\tup\\n100644 blob ${blob}\\tok\\n160000 commit ${sandbox.spec.checkout.headSHA}\\tmodule\\n' | git mktree --missing | xargs git commit-tree -m evil`,
    ).trim();
    sandbox.spec.checkout.headSHA = head;
    await sandbox.checkout();
    expect(sh(sandbox.places.workspace, "ls -A").trim().split("\n")).toEqual([".git", "module", "ok", "up"]);
    expect(existsSync(path.join(sandbox.root, "config"))).toBe(false);
    sandbox.agent(["/bin/sh", "-c", "echo better >ok; rm -r module"]);
    expect(await sandbox.run()).toMatchObject({ reason: "Published" });
    expect(sh(sandbox.origin, `git diff --name-status ${head} ${branch}`)).toBe("M\tok\n");
  });

  it("does not make a repeated checkout follow a link in the workspace", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    sh(sandbox.root, "mkdir precious; echo keep >precious/file");
    symlinkSync(path.join(sandbox.root, "precious"), path.join(sandbox.places.workspace, "left"));
    await sandbox.checkout();
    await sandbox.checkout();
    expect(readFileSync(path.join(sandbox.root, "precious/file"), "utf8")).toBe("keep\n");
    expect(sh(sandbox.places.workspace, "git status --porcelain")).toBe("");
  });
});
