import fc from "fast-check";
import { expect, test } from "vitest";
import { PERMISSIONS } from "../api/account.ts";
import { type Grant, holdsOn } from "./grant.ts";
import { isWider, narrow } from "./narrow.ts";

const DOMAINS = ["network", "firewall", "vpn"] as const;
const label = fc.constantFrom("a", "b");
const scope: fc.Arbitrary<Grant["scope"]> = fc.oneof(
  fc.constant({ all: true }),
  fc.constant({}),
  fc.dictionary(fc.constantFrom("role", "site", "server"), label, { minKeys: 1 }),
);
const domains = fc.oneof(fc.constant(null), fc.subarray([...DOMAINS], { minLength: 1 }));
const grant: fc.Arbitrary<Grant> = fc.record({ permission: fc.constantFrom(...PERMISSIONS), scope, domains });
const place = fc.record({ name: label, labels: fc.dictionary(fc.constantFrom("role", "site"), label) });
const reach = fc.record({ permissions: fc.subarray([...PERMISSIONS]), scope, domains });

test("S13: a token holds exactly what both its account and its own reach hold, at every place and in every domain", () => {
  fc.assert(
    fc.property(
      fc.array(grant, { maxLength: 4 }),
      reach,
      place,
      fc.constantFrom(...PERMISSIONS),
      fc.constantFrom(...DOMAINS),
      (grants, limit, where, permission, domain) => {
        const own = limit.permissions.map((one): Grant => ({
          permission: one,
          scope: limit.scope,
          domains: limit.domains,
        }));
        expect(holdsOn(narrow(grants, limit), permission, where, [domain])).toBe(
          holdsOn(grants, permission, where, [domain]) && holdsOn(own, permission, where, [domain]),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

test("what is not wider gives nothing new anywhere", () => {
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 3 }), fc.array(grant, { maxLength: 3 }), place, (before, after, where) => {
      if (isWider(before, after)) return;
      for (const permission of PERMISSIONS)
        for (const domain of DOMAINS)
          if (holdsOn(after, permission, where, [domain]))
            expect(holdsOn(before, permission, where, [domain])).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(isWider([], [])).toBe(false);
  expect(isWider([], [{ permission: "view", scope: { all: true }, domains: null }])).toBe(true);
});
