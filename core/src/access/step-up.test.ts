import fc from "fast-check";
import { expect, test } from "vitest";
import { type StepUpSettings, strictestStepUp, whyNotFresh } from "./step-up.ts";

const settings: fc.Arbitrary<StepUpSettings> = fc.record({
  withinSeconds: fc.integer({ min: 60, max: 43_200 }),
  tokens: fc.constantFrom("refused", "allowed"),
});

test("S40: what one floor asks for, no other floor can take away", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(settings), { minLength: 1 }),
      fc.record({ isToken: fc.boolean(), freshSeconds: fc.option(fc.nat({ max: 50_000 })) }),
      (asked, shown) => {
        const together = whyNotFresh(strictestStepUp(asked), shown);
        const each = asked.map((one) => whyNotFresh(one, shown));
        expect(together === null).toBe(each.every((one) => one === null));
      },
    ),
  );
});

test("S40: a session that never showed a second factor is never fresh; a token is refused, or let through where the floor says so", () => {
  const refused = { withinSeconds: 600, tokens: "refused" } as const;
  expect(whyNotFresh(refused, { isToken: false, freshSeconds: null })).toBe("stale");
  expect(whyNotFresh(refused, { isToken: false, freshSeconds: 600 })).toBeNull();
  expect(whyNotFresh(refused, { isToken: false, freshSeconds: 600.5 })).toBe("stale");
  expect(whyNotFresh(refused, { isToken: true, freshSeconds: 1 })).toBe("token");
  expect(whyNotFresh({ ...refused, tokens: "allowed" }, { isToken: true, freshSeconds: null })).toBeNull();
  expect(whyNotFresh(null, { isToken: false, freshSeconds: null })).toBeNull();
});
