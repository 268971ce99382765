import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type FloorLook,
  type FloorRepair,
  hasGivenUp,
  keepFloor,
  MOST_REPAIRS,
  REPAIRS_WITHIN_MS,
} from "./keep-floor.ts";

const at = (boottimeMs: number, domain = "firewall"): FloorRepair => ({
  domain,
  boottimeMs,
  wallMs: 0,
  lost: "the table",
  failure: "",
});
const LOST: FloorLook = {
  domain: "firewall",
  whenLost: "repair",
  isLost: true,
  isTransactionOpen: false,
  isLocked: false,
  repairs: [],
};

test.each<[string, Partial<FloorLook>, ReturnType<typeof keepFloor>]>([
  ["it stands", { isLost: false }, "nothing"],
  ["a transaction is open", { isTransactionOpen: true }, "nothing"],
  ["the floor only wants to be told", { whenLost: "alarm" }, "alarm"],
  ["the server is locked", { isLocked: true }, "alarm"],
  ["the floor wants it back", {}, "repair"],
  ["it was put back twice", { repairs: [at(0), at(10)] }, "repair"],
  ["it was put back three times in an hour", { repairs: [at(0), at(10), at(REPAIRS_WITHIN_MS - 1)] }, "gave_up"],
  ["three times, in more than an hour", { repairs: [at(0), at(10), at(REPAIRS_WITHIN_MS)] }, "repair"],
  ["three times, another domain", { repairs: [at(0, "network"), at(1, "network"), at(2, "network")] }, "repair"],
])("%s", (_what, more, answer) => {
  expect(keepFloor({ ...LOST, ...more })).toBe(answer);
});

test("whatever loses it and however often: no hour sees more repairs than it may, and having given up lasts", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 * 60_000 }), { maxLength: 60 }), (pauses) => {
      const repairs: FloorRepair[] = [];
      let nowMs = 0;
      let gaveUp = false;
      for (const pause of pauses) {
        nowMs += pause;
        const answer = keepFloor({ ...LOST, repairs });
        if (gaveUp) expect(answer).toBe("gave_up");
        if (answer === "repair") repairs.push(at(nowMs));
        gaveUp = hasGivenUp(repairs, "firewall");
        const inHour = repairs.filter(({ boottimeMs }) => nowMs - boottimeMs < REPAIRS_WITHIN_MS);
        expect(inHour.length).toBeLessThanOrEqual(MOST_REPAIRS);
      }
    }),
  );
});
