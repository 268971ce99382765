import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { commandKeyLinkText } from "@holdfast/proto/wire/command-key.ts";
import { expect, test } from "vitest";
import { adoptKeys, followLinks, trustedKeyId } from "./command-keys.ts";
import type { GuardContext } from "./context.ts";
import { keyId } from "./verify-command.ts";

interface Pair {
  readonly privateKey: KeyObject;
  readonly raw: string;
}

function pair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, raw: Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex") };
}

function link(from: Pair, to: Pair, by: Pair = from) {
  return {
    previousKey: Buffer.from(from.raw, "hex"),
    nextKey: Buffer.from(to.raw, "hex"),
    signature: sign(null, Buffer.from(commandKeyLinkText(from.raw, to.raw)), by.privateKey),
  };
}

const [one, two, three, thief] = [pair(), pair(), pair(), pair()];
const CHAIN = [link(one, two), link(two, three)];

test("links are followed from wherever a server stands, and following them again is the same", () => {
  for (const at of [one, two, three]) expect(followLinks([at.raw], CHAIN)).toEqual({ ok: true, value: three.raw });
});

test.each([
  ["they begin at another key", [one.raw], [link(thief, two)], "command_key.unknown"],
  ["there are none", [one.raw], [], "command_key.unknown"],
  ["a key that was left behind says where to go", [two.raw], [link(one, thief)], "command_key.unknown"],
  ["somebody else signed", [one.raw], [link(one, thief, thief)], "command_key.signature"],
  ["one of them is missing", [one.raw], [link(one, two), link(three, thief)], "command_key.signature"],
  ["the second is another's", [one.raw], [link(one, two), link(two, thief, thief)], "command_key.signature"],
  [
    "the next is no key",
    [one.raw],
    [{ ...link(one, two), nextKey: Buffer.from("00", "hex") }],
    "command_key.signature",
  ],
] as const)("no key is trusted when %s", (_what, trusted, links, code) => {
  expect(followLinks(trusted, links)).toMatchObject({ ok: false, error: { code } });
});

test("a key is trusted once it is written down, and a disk that refuses leaves the old one", () => {
  const written: string[] = [];
  let commandKeys: readonly string[] = [one.raw];
  const context = (write: (raw: string) => void) =>
    ({
      paths: { enrolment: "/enrolment.json" },
      get identity() {
        return { commandKeys };
      },
      trustCommandKey(raw: string) {
        write(raw);
        commandKeys = [raw];
      },
    }) as unknown as GuardContext;
  const full = context(() => {
    throw new Error("ENOSPC");
  });
  expect(adoptKeys(full, CHAIN)).toMatchObject({ ok: false, error: { code: "command_key.unwritable" } });
  expect(trustedKeyId(full)).toBe(keyId(one.raw));
  const sound = context((raw) => written.push(raw));
  for (let time = 0; time < 2; time++) expect(adoptKeys(sound, CHAIN)).toEqual({ ok: true, value: keyId(three.raw) });
  expect(written).toEqual([three.raw]);
  expect(trustedKeyId(sound)).toBe(keyId(three.raw));
});
