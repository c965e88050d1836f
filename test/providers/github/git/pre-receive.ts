/**
 * The `pre-receive` hook of the bare repositories. It refuses what GitHub refuses: protected branches (`STANDIN_PROTECTED`, one a line),
 * and workflow files from an App without `workflows: write` (`STANDIN_WORKFLOWS=deny`). The messages are GitHub's.
 */
export const preReceive = `#!/bin/sh
zero=0000000000000000000000000000000000000000
while read -r old new ref; do
  if [ -n "$STANDIN_PROTECTED" ] && printf '%s\\n' "$STANDIN_PROTECTED" | grep -qxF "$ref"; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    exit 1
  fi
  [ "$new" = "$zero" ] && continue
  [ "$STANDIN_WORKFLOWS" = deny ] || continue
  if [ "$old" = "$zero" ]; then
    changed=$(git log --format= --name-only "$new" --not --all -- .github/workflows)
  else
    changed=$(git diff --name-only "$old" "$new" -- .github/workflows)
  fi
  if [ -n "$changed" ]; then
    first=$(printf '%s\\n' "$changed" | head -n 1)
    echo "refusing to allow a GitHub App to create or update workflow \\\`$first\\\` without \\\`workflows\\\` permission" >&2
    exit 1
  fi
done
exit 0
`;
