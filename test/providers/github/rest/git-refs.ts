import { actorOf } from "../auth.ts";
import { afterPush, zeroId } from "../actions/push.ts";
import { deleteRef, isAncestor, refsOf, resolveRevision, updateRef } from "../git/repository.ts";
import { nodeId, repoApi } from "../view/urls.ts";
import { requiredString } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { created, noContent, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/git";

/** Git refs in the REST API. Writes have the same effects as a push. */
export const gitRefRoutes: Route[] = [
  onRepo(`GET ${root}/ref/{ref}`, "read:contents", get),
  onRepo(`GET ${root}/matching-refs/{ref}`, "read:contents", matching),
  onRepo(`POST ${root}/refs`, "write:contents", create),
  onRepo(`PATCH ${root}/refs/{ref}`, "write:contents", update),
  onRepo(`DELETE ${root}/refs/{ref}`, "write:contents", remove),
];

async function get(call: RepoCall): Promise<Answer> {
  const ref = refOf(call);
  const sha = (await refsOf(call.repo.dir)).get(ref);
  if (sha === undefined) throw notFound();
  return ok(view(call, ref, sha));
}

async function matching(call: RepoCall): Promise<Answer> {
  const refs = [...(await refsOf(call.repo.dir))].filter(([ref]) => ref.startsWith(refOf(call)));
  return pageOf(call, refs, (items) => items.map(([ref, sha]) => view(call, ref, sha)));
}

async function create(call: RepoCall): Promise<Answer> {
  const ref = requiredString(call.body, "ref", "Reference");
  if (!/^refs\/[^/]+\/.+/.test(ref))
    throw new HttpFailure(422, "Reference name must start with 'refs/' and have at least two slashes");
  const sha = await commitOf(call);
  if ((await refsOf(call.repo.dir)).has(ref)) throw new HttpFailure(422, "Reference already exists");
  await updateRef(call.repo.dir, ref, sha);
  await afterPush(call.world, actorOf(call.identity), call.repo, { ref, before: zeroId, after: sha });
  return created(view(call, ref, sha));
}

async function update(call: RepoCall): Promise<Answer> {
  const ref = refOf(call);
  const before = (await refsOf(call.repo.dir)).get(ref);
  if (before === undefined) throw new HttpFailure(422, "Reference does not exist");
  refuseProtected(call, ref);
  const after = await commitOf(call);
  if (call.body["force"] !== true && !(await isAncestor(call.repo.dir, before, after))) {
    throw new HttpFailure(422, "Update is not a fast forward");
  }
  await updateRef(call.repo.dir, ref, after);
  await afterPush(call.world, actorOf(call.identity), call.repo, { ref, before, after });
  return ok(view(call, ref, after));
}

async function remove(call: RepoCall): Promise<Answer> {
  const ref = refOf(call);
  const before = (await refsOf(call.repo.dir)).get(ref);
  if (before === undefined) throw new HttpFailure(422, "Reference does not exist");
  refuseProtected(call, ref);
  await deleteRef(call.repo.dir, ref);
  await afterPush(call.world, actorOf(call.identity), call.repo, { ref, before, after: zeroId });
  return noContent;
}

function refOf(call: RepoCall): string {
  return `refs/${call.params["ref"]}`;
}

async function commitOf(call: RepoCall): Promise<string> {
  const sha = await resolveRevision(call.repo.dir, `${requiredString(call.body, "sha", "Reference")}^{commit}`);
  if (sha === undefined) throw new HttpFailure(422, "Object does not exist");
  return sha;
}

function refuseProtected(call: RepoCall, ref: string): void {
  if (!ref.startsWith("refs/heads/") || !call.repo.protectedBranches.has(ref.slice(11))) return;
  throw new HttpFailure(422, `Protected branch update failed for ${ref}.`);
}

function view(call: RepoCall, ref: string, sha: string): Record<string, unknown> {
  return {
    ref,
    node_id: nodeId("Ref", call.repo.id),
    url: repoApi(call.world, call.repo, `/git/${ref}`),
    object: { sha, type: "commit", url: repoApi(call.world, call.repo, `/git/commits/${sha}`) },
  };
}
