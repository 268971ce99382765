import { expect, test } from "vitest";
import { shortIds } from "./short-ids.ts";

test("ids are cut, names are not", () => {
  expect(shortIds("change/01a2033a-8d08-7f9a-bdd2-de3d00ee8300")).toBe("change/01a2033a…8300");
  expect(shortIds("account/admin")).toBe("account/admin");
});
