import { expect, test } from "vitest";
import { parseViews, viewOf, VIEWS_MOST, withoutView, withView } from "./saved-views.ts";

test("a view is what filters and orders, whatever else the address says", () => {
  expect(viewOf("sort=-failure&page=3&q=role%3Aweb&show=")).toBe("q=role%3Aweb&sort=-failure");
  expect(viewOf("")).toBe("");
});

test("what a browser kept is taken where it is a view, and nothing else", () => {
  const view = { name: "Web", search: "q=role%3Aweb" };
  expect(
    parseViews(JSON.stringify([view, { name: "", search: "" }, { name: "x", search: "next=//evil" }, 7, null])),
  ).toEqual([view]);
  for (const broken of [null, "", "{", '"text"', "null"]) expect(parseViews(broken)).toEqual([]);
  const many = Array.from({ length: VIEWS_MOST + 5 }, (_, at) => ({ name: `v${at}`, search: "" }));
  expect(parseViews(JSON.stringify(many))).toHaveLength(VIEWS_MOST);
});

test("a view is saved by its name, in order, and taken away by it", () => {
  const views = withView(withView([], { name: "b", search: "q=1" }), { name: "a", search: "q=2" });
  expect(views.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(withView(views, { name: "b", search: "q=3" })).toEqual([
    { name: "a", search: "q=2" },
    { name: "b", search: "q=3" },
  ]);
  expect(withoutView(views, "a")).toEqual([{ name: "b", search: "q=1" }]);
});
