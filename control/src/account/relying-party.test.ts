import { expect, test } from "vitest";
import { relyingPartyOf } from "./relying-party.ts";

test.each([
  ["https://holdfast.example", "holdfast.example", "https://holdfast.example"],
  ["https://holdfast.example:8443/console", "holdfast.example", "https://holdfast.example:8443"],
  ["http://localhost:7080", "localhost", "http://localhost:7080"],
])("passkeys of %s are made for %s", (url, id, origin) => {
  expect(relyingPartyOf(new URL(url))).toEqual({ kind: "name", id, origin });
});

test.each(["http://127.0.0.1:7080", "https://192.0.2.7", "https://[2001:db8::1]:7080", "http://holdfast.example"])(
  "%s makes passkeys impossible, and the reason names it",
  (url) => {
    const party = relyingPartyOf(new URL(url));
    expect(party.kind === "none" ? party.why : "").toContain(new URL(url).origin);
  },
);
