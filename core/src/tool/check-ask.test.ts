import { expect, test } from "vitest";
import { checkAsk, parseHost } from "./check-ask.ts";
import type { CaptureAsk } from "./tool.ts";

test.each([
  ["web-1.example.org", "web-1.example.org"],
  ["_dns.resolver.arpa", "_dns.resolver.arpa"],
  ["example.org.", "example.org."],
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8::0:1", "2001:db8::1"],
])("%s is a host", (text, host) => expect(parseHost(text)).toEqual({ ok: true, value: host }));

test.each([
  "",
  "-f",
  "--help",
  "a b",
  "a;reboot",
  "$(reboot)",
  "a/../b",
  "a\nb",
  "127.1",
  "2130706433",
  "010.0.0.1",
  "fe80::1%eth0",
  "-a.example",
  "a..b",
  ".",
  "é.example",
  `${"a".repeat(64)}.example`,
  "a.".repeat(127).concat("toolong"),
])("%j is none", (text) => expect(parseHost(text).ok).toBe(false));

const CAPTURE: CaptureAsk = {
  tool: "capture",
  interface: "eth0",
  address: null,
  port: null,
  protocol: null,
  count: 10,
  seconds: 5,
};

test("counts and times have ends, and what is given is put into its one form", () => {
  const ping = { tool: "ping", host: "2001:DB8::1", family: null, count: 4 } as const;
  expect(checkAsk(ping)).toEqual({ ok: true, value: { ...ping, host: "2001:db8::1" } });
  for (const count of [0, 21, 1.5, Number.NaN, -1]) expect(checkAsk({ ...ping, count }).ok).toBe(false);
  expect(checkAsk({ tool: "trace", host: "a", family: 4, hops: 31 }).ok).toBe(false);
  expect(checkAsk({ tool: "resolve", host: "-a", family: null }).ok).toBe(false);
  expect(checkAsk({ ...CAPTURE, interface: "any", address: "10.0.0.1", port: 443, protocol: "tcp" }).ok).toBe(true);
});

test.each<Partial<CaptureAsk>>([
  { interface: "-w/etc/passwd" },
  { interface: "eth0 or host" },
  { interface: "" },
  { address: "example.org" },
  { address: "10.0.0.1 or port 22" },
  { port: 65_536 },
  { port: 53, protocol: "icmp" },
  { count: 1_001 },
  { seconds: 61 },
])("a capture of %j is refused", (part) => expect(checkAsk({ ...CAPTURE, ...part }).ok).toBe(false));
