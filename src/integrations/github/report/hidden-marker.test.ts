import { expect, it } from "vitest";
import { hiddenMarker } from "./hidden-marker.ts";

it.each([
  ["task-1", "<!-- bellhop:task-1 -->"],
  ["change/newest/end", "<!-- bellhop:change/newest/end -->"],
  ["a --> <img src=x>", "<!-- bellhop:a_-____img_src_x_ -->"],
  ["----", "<!-- bellhop:-_-_ -->"],
])("wraps %s in one HTML comment that the marker cannot end", (marker, expected) => {
  expect(hiddenMarker(marker)).toBe(expected);
});
