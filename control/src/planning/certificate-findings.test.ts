import { expect, test } from "vitest";
import { issueForEnd, makeTunnelAuthority } from "../authority/tunnel-authority.ts";
import { ownFindings, theirFindings } from "./certificate-findings.ts";

const NOW = Date.parse("2026-11-26T00:00:00Z");
const DAY_MS = 24 * 3_600_000;
const authority = await makeTunnelAuthority(1, NOW);
const made = await issueForEnd(authority, { tunnel: "pair", identity: "vpn.acme.example" }, NOW);
const codes = (findings: ReturnType<typeof theirFindings>) =>
  findings.map(({ severity, code }) => `${severity} ${code}`);

test("what an administrator elsewhere has sent", () => {
  const of = (kind: "end" | "authority", certificate: string, identity = "vpn.acme.example", at = NOW) =>
    codes(theirFindings("acme", identity, { of: kind, certificate }, at));
  expect(of("end", made.certificate)).toEqual([]);
  expect(of("authority", authority.certificate)).toEqual([]);
  expect(of("end", made.certificate, "VPN.acme.example")).toEqual([]);
  expect(of("end", made.certificate, "acme.example")).toEqual(["error plan.certificate_other_name"]);
  expect(of("end", made.certificate, "vpn.acme.example", NOW + 340 * DAY_MS)).toEqual([
    "warning plan.certificate_ends",
  ]);
  expect(of("end", made.certificate, "vpn.acme.example", NOW + 366 * DAY_MS)).toEqual(["error plan.certificate_ended"]);
  expect(of("end", made.certificate, "vpn.acme.example", NOW - DAY_MS)).toEqual(["error plan.certificate_ended"]);
  expect(of("authority", made.certificate)).toEqual(["error plan.certificate_no_authority"]);
  expect(of("end", `MI${"x".repeat(82)}`)).toEqual(["error plan.certificate_unreadable"]);
});

test("what the house has issued: good, ended, and not by the authority that is told beside it", async () => {
  const own = (by: string, at = NOW) => codes(ownFindings("The certificate of gw-seoul", made.certificate, by, at));
  expect(own(authority.certificate)).toEqual([]);
  expect(own(authority.certificate, NOW + 366 * DAY_MS)).toEqual(["error plan.certificate_ended"]);
  const other = await makeTunnelAuthority(1, NOW);
  expect(own(other.certificate)).toEqual(["error plan.certificate_chain"]);
});
