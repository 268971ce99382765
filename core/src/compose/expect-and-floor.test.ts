import { expect, test } from "vitest";
import { codes, compose, floor, inbound, policy, server } from "../../test/compose-text.ts";

test("a broken expectation is a danger with the reason, and the config is there to be looked at", () => {
  const composed = compose(
    "web-1",
    policy(
      "a",
      "role",
      `${inbound("{ name: web, allow: tcp/443, from: any }")}expect:\n  - { from: any, to: self, service: [tcp/443, tcp/80], is: open }\n  - { from: any, to: self, service: tcp/443, is: closed }\n`,
    ) + server("web-1", "addresses: 192.0.2.1\n"),
  );
  expect(codes(composed)).toEqual([
    "compose.expect_broken Policy/a expect[0]:13",
    "compose.expect_broken Policy/a expect[1]:14",
  ]);
  expect(composed.findings[1]?.message).toContain("the rule web decides");
  expect(
    composed.config?.probes.map((probe) => `${probe.id} ${probe.direction} ${probe.port ?? ""} ${probe.expected}`),
  ).toEqual([
    "Policy/a expect[0]#1 inbound 443 open",
    "Policy/a expect[0]#2 inbound 80 open",
    "Policy/a expect[1] inbound 443 closed",
  ]);
});

test("probes are made only where somebody stands: the server itself, and the control plane among from", () => {
  const rows = [
    "{ from: 203.0.113.0/24, to: self, service: tcp/22, is: open }",
    "{ from: 198.51.100.0/24, to: self, service: tcp/22, is: open }",
    "{ from: self, to: [192.0.2.50, 192.0.2.51], service: icmp/echo, is: open }",
    "{ from: self, to: 10.0.0.0/8, service: tcp/22, is: open }",
    "{ from: self, to: self, service: tcp/22, is: open }",
    "{ from: self, to: 192.0.2.1, service: tcp/22, is: open }",
    "{ from: self, to: 192.0.2.50, service: udp/53, is: open }",
    "{ from: self, to: 192.0.2.50, service: tcp/20-30, is: open }",
  ];
  const composed = compose(
    "web-1",
    policy("a", "role", `expect:\n${rows.map((row) => `  - ${row}\n`).join("")}`) +
      server("web-1", "addresses: 192.0.2.1\n"),
  );
  expect(
    composed.config?.probes.map((probe) => `${probe.id} ${probe.direction} ${probe.protocol} ${probe.address}`),
  ).toEqual([
    "Policy/a expect[0] inbound tcp self",
    "Policy/a expect[2]#1 outbound icmp 192.0.2.50",
    "Policy/a expect[2]#2 outbound icmp 192.0.2.51",
  ]);
  const paths = (code: string): readonly string[] =>
    composed.findings.filter((finding) => finding.code === code).map((finding) => finding.path);
  // The sample firewall has no section here, so no model judges these: that is said, not passed over.
  expect(paths("compose.expect_unchecked")).toEqual([1, 3, 4, 5, 6, 7].map((index) => `expect[${index}]`));
  const judged = compose(
    "web-1",
    policy(
      "a",
      "role",
      `firewall: { mode: enforce }\nexpect: { from: 198.51.100.0/24, to: self, service: tcp/22, is: closed }\n`,
    ) + server("web-1"),
  );
  expect(judged.findings).toMatchObject([{ code: "compose.expect_static_only", severity: "note", path: "expect[0]" }]);
});

test("floors are united, and of each setting the strictest that is said holds", () => {
  const composed = compose(
    "web-1",
    server("web-1") +
      floor(
        "a",
        "management: { name: office, networks: [10.0.0.0/25, 10.0.0.128/25], tcpPorts: [22, 443, 22] }\ntrial: { reconnect: 20s, soak: 10s, window: 300s }\napprovals: 2\nbreakGlass: allowed\nstepUp: { within: 1h }\nwhenLost: repair\nwaves: { percent: [50, 100], pause: 1m, atOnce: 5 }\n",
      ) +
      floor(
        "b",
        "management: [{ name: office, networks: any, tcpPorts: 22 }, { name: home, networks: 192.0.2.7, tcpPorts: 22 }]\ntrial: { reconnect: 25s, soak: 40s, confirm: person }\napprovals: 1\napprovalsWhen: { approvals: 3, domains: vpn, failedWithin: 7d, managementPath: touched, servers: 2 }\nstepUp: { within: 10m, tokens: allowed }\nwhenLost: alarm\nwaves: { percent: [10, 100], canary: 2, atOnce: 7 }\n",
      ),
  );
  expect(composed.floor).toEqual({
    management: [
      { name: "a-office", networks: ["10.0.0.0/24"], tcpPorts: [22, 443] },
      { name: "b-office", networks: ["0.0.0.0/0", "::/0"], tcpPorts: [22] },
      { name: "home", networks: ["192.0.2.7/32"], tcpPorts: [22] },
    ],
    trial: { reconnectSeconds: 20, soakSeconds: 40, windowSeconds: 300, confirm: "person_when_management_path" },
    approvals: 2,
    approvalsWhen: [{ approvals: 3, servers: 2, managementPath: true, domains: ["vpn"], failedWithinSeconds: 604_800 }],
    breakGlass: true,
    stepUp: { withinSeconds: 600, tokens: "refused" },
    whenLost: "repair",
    waves: { canary: 2, percent: [10, 50, 100], pauseSeconds: 60, atOnce: 5 },
  });
  const refusing = compose(
    "web-1",
    server("web-1") + floor("a", "breakGlass: allowed\n") + floor("b", "breakGlass: refused\n"),
  );
  expect(refusing.floor.breakGlass).toBe(false);
  // A floor that does not ask for it leaves the text, and with it the digest, as it ever was.
  expect(composed.config?.whenFloorLost).toBe("repair");
  expect("whenFloorLost" in (refusing.config ?? {})).toBe(false);
  expect(composed.config?.managementPath.inbound).toHaveLength(3);
  expect(composed.config?.probes).toMatchObject([
    { id: "floor tcp/22", direction: "inbound", address: "self", expected: "open" },
  ]);
});

test("an author may make the trial stricter and never looser", () => {
  const text = server("web-1") + floor("a", "trial: { confirm: person }\n");
  const stricter = compose("web-1", text, { trial: { reconnectSeconds: 5, soakSeconds: 60, windowSeconds: 100 } });
  expect(stricter.config?.trial).toEqual({
    reconnectSeconds: 5,
    soakSeconds: 60,
    windowSeconds: 100,
    confirm: "person_when_management_path",
  });
  for (const trial of [
    { reconnectSeconds: 16 },
    { soakSeconds: 14 },
    { windowSeconds: 121 },
    { confirm: "machine" as const },
  ]) {
    const looser = compose("web-1", text, { trial });
    expect(looser.config).toBeNull();
    expect(looser.findings).toMatchObject([{ code: "compose.trial_looser" }]);
  }
  expect(compose("web-1", text, { trial: { windowSeconds: 10 } }).findings).toMatchObject([
    { code: "compose.trial_window" },
  ]);
});
