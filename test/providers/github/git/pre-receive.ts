/**
 * The `pre-receive` hook of the bare repositories. It refuses what GitHub refuses: protected branches (`STANDIN_PROTECTED`, one a line),
 * pushes that a rule forbids (`STANDIN_RULES`, one a line: ref, tab, message), texts that push protection takes for secrets (`STANDIN_SECRETS`,
 * one a line), and workflow files from an App without `workflows: write` (`STANDIN_WORKFLOWS=deny`). The messages are GitHub's.
 */
export const preReceive = `#!/bin/sh
zero=0000000000000000000000000000000000000000
while read -r old new ref; do
  if [ -n "$STANDIN_PROTECTED" ] && printf '%s\\n' "$STANDIN_PROTECTED" | grep -qxF "$ref"; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    exit 1
  fi
  [ "$new" = "$zero" ] && continue
  rule=$(printf '%s\\n' "$STANDIN_RULES" | awk -F '\\t' -v ref="$ref" '$1 == ref { print $2; exit }')
  if [ -n "$rule" ]; then
    echo "error: GH013: Repository rule violations found for $ref." >&2
    echo "Review all repository rules at https://github.com/acme/shop/rules?ref=$ref" >&2
    echo "" >&2
    echo "- $rule" >&2
    echo "" >&2
    exit 1
  fi
  if [ -n "$STANDIN_SECRETS" ]; then
    found=$(git log --format= --patch "$new" --not --all | grep -F "$STANDIN_SECRETS")
    if [ -n "$found" ]; then
      echo "error: GH013: Repository rule violations found for $ref." >&2
      echo "" >&2
      echo "- GITHUB PUSH PROTECTION" >&2
      echo "  —————————————————————————————————————————" >&2
      echo "    Resolve the following violations before pushing again" >&2
      echo "" >&2
      echo "    - Push cannot contain secrets" >&2
      echo "" >&2
      echo "     (?) Learn how to resolve a blocked push" >&2
      echo "     https://docs.github.com/code-security/secret-scanning/working-with-secret-scanning-and-push-protection" >&2
      echo "" >&2
      echo "      —— GitHub Personal Access Token ——————————————————————" >&2
      echo "       locations:" >&2
      echo "         - commit: $new" >&2
      exit 1
    fi
  fi
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
