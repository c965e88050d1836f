import { describe, expect, it } from "vitest";
import { hostileTexts } from "../../../../test/hostile-texts.ts";
import { assertLinear, fill } from "../../../../test/work.ts";
import { openFence } from "./open-fence.ts";

describe("openFence", () => {
  it.each([
    ["nothing", "", ""],
    ["a fence that was closed", "```js\nlet a;\n```", ""],
    ["a fence that was left open", "```js\nlet a;", "```"],
    ["a longer one, which a shorter does not close", "~~~~\n~~~\n```", "~~~~"],
    ["code in a line", "``` a ``` b", ""],
    ["a fence in a list, closed there", "Ran:\n- ```\n  npm test\n  ```\nAll good.", ""],
    ["a fence in a list, left open: it ends with the list", "- ```\n  npm test", ""],
    ["a fence that begins under a list item's words", "1. Run\n   ```sh\n   npm test", ""],
    ["a fence left of an item's content, which is none of the item's", "1. Run\n  ```sh\n  npm test", "```"],
    ["a fence after a list that ended", "- a\n\nb\n```\nc", "```"],
    ["a fence in a list whose words went on at the margin", "- a\nb\n  ```\n  c", ""],
    ["a fence in a list in a list", "- a\n  - b\n    ```\n    c", ""],
    ["a fence at the margin, under a list that ends with it", "- ```\n```\nc", "```"],
    ["a fence in a list after blank lines", "- a\n\n\n  ```\n  b", ""],
    ["a fence in an empty item after a list's words", "1) a\n- \n  ```\n  b", ""],
    ["a fence in a quote, left open", "> ```\n> a\n\nb", ""],
    ["a fence under a quote, which ends that", "> a\n```\nb", "```"],
    ["what is no list in the middle of words", "Version\n2. ```\n   ```\nb", "```"],
    ["a list under a heading", "# Steps\n2. ```\n   a\n   ```\nb", ""],
    ["an empty item, whose content must follow at once", "-\n\n  ```\n  b", "```"],
    ["indented code that looks like a fence", "a\n\n    ```\n    b", ""],
    ["a list with tabs", "-\t```\n\ta\n\t```\nb", ""],
    ["a rule of dashes, which is no list", "- - -\n  ```\n  b", "```"],
  ])("of %s", (_name, text, want) => {
    expect(openFence(text)).toBe(want);
  });

  it.each(hostileTexts.openFence)("takes work in line with the length of %j repeated", (piece) => {
    assertLinear((length) => openFence(fill(piece, length)));
  });
});
