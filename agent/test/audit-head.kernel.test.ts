/** The guard as a process: it is killed between the disk and the answer, and what is kept is whole, no older, and receipted alike. */
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { type AnchoredHead, anchorText } from "@holdfast/proto/wire/audit-head.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentUnderTest } from "./agent-under-test.ts";

let agent: AgentUnderTest;
beforeEach(() => {
  agent = new AgentUnderTest();
});
afterEach(() => agent.close());

const house = generateKeyPairSync("ed25519");
const publicKey = Buffer.from(house.publicKey.export({ format: "jwk" }).x ?? "", "base64url");

function keep(entries: number, letter = "a") {
  const one: AnchoredHead = { epoch: 1, entries, head: letter.repeat(64), at: "2026-11-26T09:00:00.000Z" };
  const signature = sign(null, Buffer.from(anchorText(one), "utf8"), house.privateKey);
  const head = { ...one, epoch: BigInt(one.epoch), entries: BigInt(one.entries), signature };
  return agent.guard().keepAuditHead({ head, publicKey });
}

/** Of the one file that is written: its own fsync, its new name, and the folder's fsync. */
const MOMENTS = [
  { moment: "the file is on the disk under no name", call: "fsync", at: 1 },
  { moment: "it has its name", call: "rename", at: 1 },
  { moment: "the folder is on the disk", call: "fsync", at: 2 },
] as const;

test.each(MOMENTS)("killed when $moment: nothing is lost and nothing is half", async ({ call, at }) => {
  // A first life, in which every other file of a guard is made.
  const first = await agent.startGuard();
  await keep(10);
  await agent.kill(first);
  const what = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${at}`];
  const killed = await agent.startGuard(["strace", "-f", "-qq", "-o", "/dev/null", ...what]);
  // The wire's own words for a peer that is gone differ; that it did not answer is what counts.
  expect(
    await keep(11, "b").then(
      () => "answered",
      () => "gone",
    ),
  ).toBe("gone");
  await ended(killed);
  await agent.startGuard();
  const found = await agent.guard().keepAuditHead({});
  expect(["10:a", "11:b"]).toContain(`${found.kept?.entries ?? 0}:${found.kept?.head.slice(0, 1) ?? ""}`);
  const again = await keep(11, "b");
  expect(again).toMatchObject({ refusedCode: "", kept: { entries: 11n } });
  expect((await agent.guard().keepAuditHead({})).receipt).toEqual(again.receipt);
  expect(await keep(10)).toMatchObject({ refusedCode: "audit_head.goes_back", kept: { entries: 11n } });
});

test("it says that it keeps heads, and somebody at the server reads which", async () => {
  const guard = await agent.startGuard();
  expect((await agent.guard().describe({})).keepsAuditHeads).toBe(true);
  await keep(10);
  await agent.kill(guard);
  expect((await agent.run(["status"])).output).toContain(`holdfast audit verify --kept 10:${"a".repeat(64)}`);
  const { auditHead } = JSON.parse((await agent.run(["status", "--json"])).output) as {
    readonly auditHead: { readonly newest: { readonly entries: number }; readonly signerKey: string };
  };
  expect(auditHead).toMatchObject({ newest: { entries: 10 }, signerKey: publicKey.toString("hex") });
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("close", resolve));
}
