/** A server is given up: everything that Holdfast has set on it goes back to what was found, on trial like any other change, and stays so. */
import { House } from "@holdfast/testkit/house/house.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

let house: House;
let close: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", kind: "systemd" }] });
  close = () => house.close();
}, 300_000);
afterAll(() => close(), 60_000);

const SYSTEM = `apiVersion: holdfast/v1
kind: Policy
name: base
layer: fleet
selector: { all: true }
system:
  timezone: Asia/Seoul
  banners: { motd: "ours\\n" }
  sysctl: { net.ipv4.tcp_syncookies: 2 }
`;

test("a server leaves, on trial; nothing of Holdfast's is left there, on the next boot either, and it is released", async () => {
  const { machine, address } = house.first;
  const look = async (): Promise<string> =>
    machine.must([
      "sh",
      "-c",
      "nft list tables; readlink /etc/localtime; cat /etc/motd; sysctl -n net.ipv4.tcp_syncookies; ls /etc/sysctl.d",
    ]);
  const port = 9090;
  const isOpen = async (): Promise<boolean> => (await tcpConnect(house.networks.visitor, address, port)) === "open";
  const table = "inet holdfast";
  const withFirewall = await look();
  expect(withFirewall).toContain(table);
  const without = withFirewall
    .split("\n")
    .filter((line) => !line.includes(table))
    .join("\n");
  await house.operator.apply("The base", [SYSTEM]);
  expect(await look()).toMatch(/Asia\/Seoul\nours\n2\n/);
  expect(await isOpen()).toBe(false);

  const text = (
    await house.operator.call("getDocument", {
      params: { kind: "Server", name: "web-1" },
      answer: z.object({ text: z.string() }),
    })
  ).text;
  await house.operator.apply("web-1 leaves", [`${text.trimEnd()}\nleaves: true\n`]);
  expect(await look()).toBe(without);
  expect(await isOpen()).toBe(true);
  await machine.reboot();
  expect(await look()).toBe(without);
  await house.operator.waitConnected(["web-1"]);

  const body = { reason: "sold" };
  await house.operator.call("releaseServer", { params: { name: "web-1" }, body, answer: z.unknown() });
  expect(await look()).toBe(without);
}, 300_000);
