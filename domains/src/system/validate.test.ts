import { expect, test } from "vitest";
import { CERTIFICATE } from "../../test/system-sample.ts";
import type { SystemConfig } from "./model.ts";
import { validateSystem } from "./validate.ts";

test.each<[string, SystemConfig, readonly string[]]>([
  ["nothing", {}, []],
  ["a harmless setting", { sysctl: { "net.core.somaxconn": "8192" } }, []],
  ["a setting that halts servers", { sysctl: { "vm.panic_on_oom": "1" } }, ["system.sysctl_hazard"]],
  ["the strict filter drops what comes another way", rpFilter("1"), ["system.sysctl_hazard"]],
  ["the loose filter does not", rpFilter("2"), []],
  [
    "two names of one setting that differ",
    { sysctl: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.all.forwarding": "0" } },
    ["system.sysctl_alias"],
  ],
  [
    "two names of one setting that agree",
    { sysctl: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.all.forwarding": "1" } },
    [],
  ],
  ["neither keys nor passwords", { ssh: { keys: false, passwords: false } }, ["system.ssh_all_doors_closed"]],
  ["root with passwords", { ssh: { rootLogin: "any" } }, ["system.ssh_root_passwords"]],
  ["root with any key", { ssh: { rootLogin: "any", passwords: false } }, []],
  ["a cipher that few clients speak", { ssh: { ciphers: ["aes192-ctr"] } }, ["system.ssh_few_clients"]],
  ["one more that all of them do", { ssh: { ciphers: ["aes192-ctr", "aes256-ctr"] } }, []],
  ["a new key exchange alone", { ssh: { keyExchange: ["mlkem768x25519-sha256"] } }, ["system.ssh_few_clients"]],
  [
    "logs by tls, and nobody vouches for the log server",
    { logs: { to: [{ host: "a", port: 6514, by: "tls", name: "a" }] } },
    ["system.logs_no_authority"],
  ],
  [
    "logs by tls beside logs in clear",
    {
      logs: {
        to: [
          { host: "a", port: 6514, by: "tls", name: "a" },
          { host: "b", port: 514, by: "udp" },
        ],
        tls: { authority: CERTIFICATE },
      },
    },
    ["system.logs_in_clear"],
  ],
  ["a banner that nobody sees", { banners: { issueNet: "hello" } }, ["system.banner_not_shown"]],
  ["a banner that sshd shows", { banners: { issueNet: "hello" }, ssh: { banner: true } }, []],
  [
    "a unit of which the next boot knows nothing",
    { units: { "a.service": { running: false } } },
    ["system.unit_not_at_boot"],
  ],
])("%s", (_what, config, codes) => {
  expect(validateSystem(config).map(({ code }) => code)).toEqual(codes);
});

function rpFilter(value: string): SystemConfig {
  return { sysctl: { "net.ipv4.conf.all.rp_filter": value } };
}
