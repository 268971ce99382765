/**
 * Whose commands this server takes, and how it comes to take another's.
 *   C1. One key is trusted. The next one takes its place, in the file first; nobody but the one that is trusted says which.
 *   C2. A link that does not begin at the key that is trusted leads nowhere: one made later with a stolen old key reaches nobody who has moved on.
 */
import { verify } from "node:crypto";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { CommandKeyLink } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { commandKeyLinkText } from "@holdfast/proto/wire/command-key.ts";
import { reasonOf } from "../log/log.ts";
import type { Refusal } from "../rpc/refusal.ts";
import type { GuardContext } from "./context.ts";
import { keyId, publicKey } from "./verify-command.ts";

type Link = Pick<CommandKeyLink, "previousKey" | "nextKey" | "signature">;

const RAW_KEY_BYTES = 32;

/** The key at the end of the links, from where `trusted` is among them; `trusted` itself where it is that end already. */
export function followLinks(trusted: readonly string[], links: readonly Link[]): Result<string, Refusal> {
  const start = links.findIndex(({ previousKey }) => trusted.includes(hex(previousKey)));
  const last = links.at(-1);
  if (start < 0) {
    const end = last === undefined ? undefined : hex(last.nextKey);
    return end !== undefined && trusted.includes(end)
      ? ok(end)
      : err({
          code: "command_key.unknown",
          message: "these links do not begin at the command key that this server trusts; enrol it again",
        });
  }
  let at = hex(links[start]?.previousKey ?? new Uint8Array());
  for (const { previousKey, nextKey, signature } of links.slice(start)) {
    const next = hex(nextKey);
    if (
      hex(previousKey) !== at ||
      nextKey.length !== RAW_KEY_BYTES ||
      !verify(null, Buffer.from(commandKeyLinkText(at, next), "ascii"), publicKey(at), signature)
    )
      return err({
        code: "command_key.signature",
        message: `the link after the command key ${keyId(at)} does not hold`,
      });
    at = next;
  }
  return ok(at);
}

/** The id of the key that is trusted afterwards. */
export function adoptKeys(context: GuardContext, links: readonly Link[]): Result<string, Refusal> {
  const { commandKeys } = context.identity;
  const led = followLinks(commandKeys, links);
  if (!led.ok) return led;
  if (commandKeys.length === 1 && commandKeys[0] === led.value) return ok(keyId(led.value));
  try {
    context.trustCommandKey(led.value);
  } catch (error) {
    return err({ code: "command_key.unwritable", message: `${context.paths.enrolment}: ${reasonOf(error)}` });
  }
  return ok(keyId(led.value));
}

/** What `Describe` says: of several keys from an enrolment the first, which links would begin at. */
export function trustedKeyId({ identity }: Pick<GuardContext, "identity">): string {
  const [first] = identity.commandKeys;
  return first === undefined ? "" : keyId(first);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
