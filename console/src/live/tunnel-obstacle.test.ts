import { expect, test } from "vitest";
import { vpnObserved } from "../../mock-api/live-vpn.ts";
import { vpnSeenSchema } from "./observed.ts";
import { tunnelObstacle } from "./tunnel-obstacle.ts";

const SEEN = vpnSeenSchema.parse(vpnObserved(10));
const DOWN = vpnSeenSchema.parse({ ...vpnObserved(10), ipsec: { charon: { state: "down", why: "x" }, keyFiles: {} } });

const reasons = (tunnel: string, remote: string | null, isOpen = false, seen = SEEN) =>
  (["initiate", "rekey", "terminate"] as const).map((act) => tunnelObstacle(act, tunnel, seen, remote, isOpen));

test("a tunnel that stands is not begun; one that is down is neither ended nor given keys", () => {
  expect(reasons("seoul-busan", null)).toEqual(["up", null, null]);
  expect(reasons("acme", "192.0.2.44")).toEqual([null, "down", "down"]);
  expect(reasons("acme", null)).toEqual(["otherEnd", "down", "down"]);
});

test("while a transaction is open, and with nobody to ask, nothing is offered", () => {
  expect(reasons("seoul-busan", null, true)).toEqual(["open", "open", "open"]);
  expect(reasons("seoul-busan", null, false, DOWN)).toEqual(["charonDown", "charonDown", "charonDown"]);
});
