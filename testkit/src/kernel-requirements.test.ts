import { expect, test } from "vitest";
import { missingCapabilities } from "./kernel-requirements.ts";

test("a process with every capability may run the kernel tests", () => {
  expect(missingCapabilities("Name:\tnode\nCapEff:\t000001ffffffffff\n")).toBeUndefined();
});

test("each missing capability is named", () => {
  expect(missingCapabilities("CapEff:\t0000000000000000\n")).toBe(
    "needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN: run it as root",
  );
  expect(missingCapabilities("CapEff:\t0000000000001000\n")).toBe("needs root with CAP_SYS_ADMIN: run it as root");
});

test("a status that says nothing of capabilities is no permission", () => {
  expect(missingCapabilities("Name:\tnode\n")).toMatch(/needs a Linux kernel/);
});
