import { describe, expect, it } from "vitest";
import { hostileTexts } from "../../../../test/hostile-texts.ts";
import { assertLinear, fill } from "../../../../test/work.ts";
import { openFence } from "./open-fence.ts";

describe("openFence", () => {
  it.each([
    ["an empty text", "", ""],
    ["a closed fence", "```js\nlet a;\n```", ""],
    ["an open fence", "```js\nlet a;", "```"],
    ["a longer fence, which a shorter one does not close", "~~~~\n~~~\n```", "~~~~"],
    ["a code span", "``` a ``` b", ""],
    ["a fence that is closed in its list item", "Ran:\n- ```\n  npm test\n  ```\nAll good.", ""],
    ["an open fence in a list, which ends with the list", "- ```\n  npm test", ""],
    ["a fence that begins below the text of a list item", "1. Run\n   ```sh\n   npm test", ""],
    ["a fence left of an item's content, which is outside the item", "1. Run\n  ```sh\n  npm test", "```"],
    ["a fence after a list that ended", "- a\n\nb\n```\nc", "```"],
    ["a fence in a list item whose text continues at the margin", "- a\nb\n  ```\n  c", ""],
    ["a fence in a nested list", "- a\n  - b\n    ```\n    c", ""],
    ["a fence at the margin, which ends the list above it", "- ```\n```\nc", "```"],
    ["a fence in a list after blank lines", "- a\n\n\n  ```\n  b", ""],
    ["a fence in an empty item after the text of another item", "1) a\n- \n  ```\n  b", ""],
    ["an open fence in a quote, which ends with the quote", "> ```\n> a\n\nb", ""],
    ["a fence below a quote, which ends the quote", "> a\n```\nb", "```"],
    ["a number inside a paragraph, which begins no list", "Version\n2. ```\n   ```\nb", "```"],
    ["a list below a heading", "# Steps\n2. ```\n   a\n   ```\nb", ""],
    ["an empty item, whose content must begin on the next line", "-\n\n  ```\n  b", "```"],
    ["indented code that looks like a fence", "a\n\n    ```\n    b", ""],
    ["a list with tabs", "-\t```\n\ta\n\t```\nb", ""],
    ["a horizontal rule of dashes, which is no list", "- - -\n  ```\n  b", "```"],
  ])("returns the open fence of %s", (_name, text, want) => {
    expect(openFence(text)).toBe(want);
  });

  it.each(hostileTexts.openFence)("takes time linear in the length of %j repeated", (piece) => {
    assertLinear((length) => openFence(fill(piece, length)));
  });
});
