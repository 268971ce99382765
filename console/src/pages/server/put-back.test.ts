import { expect, test } from "vitest";
import { documentToSendAgain } from "./put-back.ts";

const head = (name: string, revision: number, servers: number, deleted = false) => ({
  kind: "Policy",
  name,
  revision,
  deleted,
  inForceOn: Array.from({ length: servers }, (_, index) => index),
});
const inForce = (name: string, revision: number) => ({ kind: "Policy", name, revision });

test("the one in force in its newest revision, shared by the fewest", () => {
  const heads = [head("fleet", 3, 40), head("host", 7, 1), head("site", 2, 9)];
  expect(documentToSendAgain([inForce("fleet", 3), inForce("site", 2), inForce("host", 7)], heads)).toEqual(
    inForce("host", 7),
  );
});

test("an older revision is not sent again: it would undo, or bring along, what somebody else wrote", () => {
  const heads = [head("fleet", 3, 40), head("host", 8, 1), head("gone", 2, 1, true)];
  expect(documentToSendAgain([inForce("fleet", 3), inForce("host", 7), inForce("gone", 2)], heads)).toEqual(
    inForce("fleet", 3),
  );
  expect(documentToSendAgain([inForce("host", 7)], heads)).toBeNull();
  expect(documentToSendAgain([], heads)).toBeNull();
});
