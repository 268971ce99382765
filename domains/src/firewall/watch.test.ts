import { expect, test } from "vitest";
import { counterNames, decidedBy, nameOfPart, nftPart } from "./names.ts";
import { firewallWatch, SAMPLE_PER_SECOND } from "./watch.ts";

/** Lines as nft 1.0.6 prints them with -n. */
const HEAD =
  'iif "eth0" ether saddr b2:90:0b:ac:97:15 ether daddr ce:a4:4a:dc:e4:6b ip saddr 10.9.0.2 ip daddr 10.9.0.1 ip dscp 0x00 ip ecn 0x0 ip ttl 64 ip id 2781 ip protocol 6 ip length 60 tcp sport 53738 tcp dport 22 tcp flags == 0x2 tcp window 64240 ';
const HEAD6 =
  'iif "eth0" ip6 saddr :: ip6 daddr ff02::1:ffdc:e46b ip6 dscp 0x00 ip6 nexthdr 58 ip6 length 32 icmpv6 type 135 icmpv6 code 0 @th,64,96 0xfe80000000000000cca44aff ';

function read(...lines: readonly string[]) {
  const reader = firewallWatch.reader();
  for (const line of lines) reader.take(line, 1_000);
  expect(reader.settled(1_100), "something may still be said of it").toEqual([]);
  return { reader, packets: reader.settled(1_200) };
}

const begun = (id: string, head = HEAD): readonly string[] => [
  `trace id ${id} inet holdfast_watch arriving packet: ${head}`,
  `trace id ${id} inet holdfast_watch arriving rule ct state != { 0x2, 0x4 } meta nftrace set 1 (verdict continue)`,
  `trace id ${id} inet holdfast_watch arriving policy accept `,
  `trace id ${id} inet holdfast hook_inbound packet: ${head}`,
  `trace id ${id} inet holdfast hook_inbound rule jump rules_inbound (verdict jump rules_inbound)`,
];

test("an allow is told with its rule and its header", () => {
  const { packets } = read(
    ...begun("a1"),
    'trace id a1 inet holdfast rules_inbound rule tcp dport 22 counter name "c_inbound_ssh" accept (verdict accept)',
  );
  expect(packets).toEqual([
    {
      atMs: 1_000,
      direction: "inbound",
      outcome: "allowed",
      rule: "ssh",
      foreignTable: null,
      inInterface: "eth0",
      outInterface: null,
      protocol: "tcp",
      source: "10.9.0.2",
      destination: "10.9.0.1",
      sourcePort: 53_738,
      destinationPort: 22,
      icmpType: null,
    },
  ]);
});

test.each([
  ["the default drops", ['hook_inbound rule counter name "d_inbound" drop (verdict drop)'], "dropped", "default"],
  [
    "the default observes",
    ['hook_inbound rule counter name "od_inbound" accept (verdict accept)'],
    "would_drop",
    "default",
  ],
  [
    "a rule that logs has a chain of its own",
    [
      "rules_inbound rule tcp dport 22 goto act_inbound_no__ssh (verdict goto act_inbound_no__ssh)",
      'act_inbound_no__ssh rule limit rate 5/second log prefix "holdfast inbound no_ssh drop " (verdict continue)',
      'act_inbound_no__ssh rule counter name "c_inbound_no__ssh" drop (verdict drop)',
    ],
    "dropped",
    "no_ssh",
  ],
  [
    "over the limit",
    ['act_inbound_ssh rule limit rate over 3/minute counter name "c_inbound_ssh_limited" drop (verdict drop)'],
    "dropped",
    "ssh.limited",
  ],
  [
    "the sender is told by a chain that all rules share",
    [
      'rules_inbound rule tcp dport 22 counter name "c_inbound_ssh" goto act_reject (verdict goto act_reject)',
      "act_reject rule ip protocol 6 reject with tcp reset (verdict drop)",
    ],
    "rejected",
    "ssh",
  ],
  [
    "a locked rule",
    ['locked_inbound rule counter name "k_inbound_invalid" drop (verdict drop)'],
    "dropped",
    "locked.invalid",
  ],
  [
    "a rule without a counter",
    ["rules_inbound rule tcp dport 22 counter packets 0 bytes 0 accept (verdict accept)"],
    "allowed",
    null,
  ],
  ["a rule that nft has not read", ["rules_inbound unknown rule handle 9 (verdict accept)"], "allowed", null],
  ["its policy", ["hook_inbound policy drop "], "dropped", null],
])("%s", (_what, lines, outcome, rule) => {
  const { packets } = read(...begun("a1"), ...lines.map((line) => `trace id a1 inet holdfast ${line}`));
  expect(packets).toMatchObject([{ direction: "inbound", outcome, rule }]);
});

test("another firewall that drops after ours is named, and one that accepts is not", () => {
  const allow = 'trace id a1 inet holdfast rules_inbound rule counter name "c_inbound_ssh" accept (verdict accept)';
  expect(read(...begun("a1"), allow, "trace id a1 ip docker late rule drop (verdict drop)").packets).toMatchObject([
    { outcome: "dropped", rule: "ssh", foreignTable: "ip docker" },
  ]);
  expect(read(...begun("a1"), allow, "trace id a1 ip docker late policy accept").packets).toMatchObject([
    { outcome: "allowed", foreignTable: null },
  ]);
  expect(read(...begun("a1").slice(0, 3)).packets, "nobody of ours decided").toEqual([]);
});

test("IPv6 neighbours and what was not sampled", () => {
  const { packets } = read(...begun("b2", HEAD6), "trace id b2 inet holdfast hook_inbound policy drop");
  expect(packets).toMatchObject([
    { source: "::", destination: "ff02::1:ffdc:e46b", protocol: "icmpv6", icmpType: 135 },
  ]);
  expect(read("trace id c3 inet holdfast hook_inbound policy drop").packets).toEqual([]);
});

test("lines that are none, and names that would be code, are let go", () => {
  const { packets, reader } = read(
    "",
    "trace id",
    `trace id zz inet holdfast_watch arriving packet: ${HEAD}`,
    'trace id a1 inet holdfast_watch arriving packet: iif "eth0" ip saddr 1.2.3.4;rm ip daddr 5.6.7.8',
    "trace id a1 inet holdfast hook_inbound policy drop",
    "x".repeat(100_000),
  );
  expect(packets).toEqual([]);
  expect(reader.wasOutdated()).toBe(false);
});

test("a change of our rules asks for reading them again, once; one of others does not", () => {
  const { reader } = read("add rule ip docker late tcp dport 1 drop", "add table inet holdfast_watch { }");
  expect(reader.wasOutdated()).toBe(false);
  reader.take("add rule inet holdfast rules_inbound tcp dport 9090 accept", 2_000);
  expect([reader.wasOutdated(), reader.wasOutdated()]).toEqual([true, false]);
});

test("a second as full as the sample says that there was more", () => {
  const reader = firewallWatch.reader();
  for (let at = 0; at < SAMPLE_PER_SECOND; at++) for (const line of begun(at.toString(16))) reader.take(line, 5_000);
  expect(reader.isSampled(5_500)).toBe(true);
  expect(reader.isSampled(6_500)).toBe(true);
  expect(reader.isSampled(8_000)).toBe(false);
});

test("every name that a rule may have comes back from the kernel", () => {
  for (const name of ["ssh", "a_b", "x_limited", "limited", "a.b-c", "web:443", "한글", "a_u41."]) {
    expect(nameOfPart(nftPart(name))).toBe(name);
    expect(decidedBy("rules_inbound", counterNames.rule("inbound", name))).toEqual({ rule: name, isObserved: false });
    expect(decidedBy("act", counterNames.observedLimited("forward", name))).toEqual({
      rule: `${name}.limited`,
      isObserved: true,
    });
  }
  expect(nameOfPart(nftPart("long".repeat(60)))).toBeNull();
});
