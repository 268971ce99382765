import type { Brand } from "../base/brand.ts";
import { err, ok, type Result } from "../base/result.ts";

/** A hardware address in its one text form: six lower-case pairs with colons. */
export type Mac = Brand<string, "Mac">;

/** Reads a hardware address that an interface can have: neither all zero nor a group address. */
export function parseMac(text: string): Result<Mac, string> {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    return err(
      `${JSON.stringify(text)} is not a hardware address; write six pairs of hexadecimal digits in quotes, like "52:54:00:aa:10:01"`,
    );
  }
  const mac = text.toLowerCase();
  if (mac === "00:00:00:00:00:00")
    return err(`${JSON.stringify(text)} is the empty hardware address; no interface can be found by it`);
  // The lowest bit of the first octet marks a group (multicast, broadcast) address.
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1)
    return err(`${JSON.stringify(text)} is a group address; an interface has an address of its own`);
  return ok(mac as Mac);
}
