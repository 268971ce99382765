import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";

const FLAG = "/run/reboot-required";
const KERNEL = { kind: "kernel", runs: "6.1.0-30-amd64", next: "6.1.0-31-amd64" };

function restartOf(facts: Readonly<Record<string, string>>, link?: string) {
  const server = new SimulatedSystem();
  if (link !== undefined) server.entries.set("/vmlinuz", { type: "link", target: link });
  server.texts = facts;
  return server.observe().restart;
}

test.each([
  ["nobody asks", {}, undefined, []],
  ["names without the flag are of another time", { [`${FLAG}.pkgs`]: "libc6\n" }, undefined, []],
  [
    "somebody asks and says not why",
    { [FLAG]: "*** System restart required ***\n" },
    undefined,
    [{ kind: "package", name: "" }],
  ],
  [
    "two packages ask, one of them twice",
    { [FLAG]: "", [`${FLAG}.pkgs`]: "linux-base\nlibc6\nlinux-base\n" },
    undefined,
    [
      { kind: "package", name: "libc6" },
      { kind: "package", name: "linux-base" },
    ],
  ],
  ["the next boot starts another kernel", { kernel: "6.1.0-30-amd64\n" }, "boot/vmlinuz-6.1.0-31-amd64", [KERNEL]],
  ["the next boot starts the same kernel", { kernel: "6.1.0-31-amd64\n" }, "boot/vmlinuz-6.1.0-31-amd64", []],
  ["a link to something else", { kernel: "6.1.0-30-amd64\n" }, "boot/my-kernel", []],
  [
    "a container, whose kernel is its host's",
    { kernel: "6.1.0-30-amd64\n", "/run/systemd/container": "systemd-nspawn" },
    "boot/vmlinuz-6.1.0-31-amd64",
    [],
  ],
])("%s", (_what, facts, link, expected) => {
  expect(restartOf(facts as Readonly<Record<string, string>>, link)).toEqual(expected);
});
