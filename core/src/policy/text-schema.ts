import { z } from "zod";
import { type Result } from "../base/result.ts";
import { parseAddress } from "../net/address.ts";
import { parseInterfaceName } from "../net/interface-name.ts";
import { parseMac } from "../net/mac.ts";
import { parseDuration } from "./duration.ts";
import { parseExpires } from "./expires.ts";
import { parseDocumentName, parseItemName, parseLabelValue } from "./name.ts";
import { parseRate } from "./rate.ts";
import { parseAddressReference, parseServiceReference } from "./reference.ts";

/** A range of two IPv6 addresses has 79 characters; what is much longer is no value, and is not given to a parser or put into a message. */
const LONGEST = 200;

/** A text that one of our parsers accepts. It stays the text that was written; the parser's sentence becomes the finding. */
export function checkedText(
  parse: (text: string) => Result<unknown, string>,
  meta: { readonly description: string; readonly examples: readonly string[]; readonly longest?: number },
): z.ZodString {
  const longest = meta.longest ?? LONGEST;
  return z
    .string()
    .superRefine((text, context) => {
      if (text.length > longest) {
        context.addIssue({
          code: "custom",
          message: `This text has ${text.length} characters; at most ${longest} make sense here`,
        });
        return;
      }
      const parsed = parse(text);
      if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.error });
    })
    .meta({ description: meta.description, examples: [...meta.examples] });
}

/** A single item may stand for a list of one. The value is always the list. */
export function oneOrList<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item)])
    .transform((value): z.output<Item>[] => (Array.isArray(value) ? value : [value]));
}

/** Free text for people. */
export function proseText(description: string) {
  return z.string().max(2000).meta({ description });
}

export const addressText = checkedText(parseAddress, {
  description: "One IPv4 or IPv6 address.",
  examples: ["203.0.113.10", "2001:db8::10"],
});

export const addressReferenceText = checkedText(parseAddressReference, {
  description:
    "Addresses: a literal address, network or range; the name of a group; role:, site:, server: or zone: with a name; self; any.",
  examples: ["203.0.113.0/26", "office", "role:db", "zone:guest", "any"],
});

export const serviceReferenceText = checkedText(parseServiceReference, {
  description:
    "A service: protocol and port, icmp/TYPE, a protocol without ports, any, or the name of a group of services.",
  examples: ["tcp/443", "udp/4000-4100", "icmp/echo", "esp", "any"],
});

export const durationText = checkedText(parseDuration, {
  description: "A duration with its unit: s, m, h or d.",
  examples: ["15s", "12h", "90d"],
});

export const rateText = checkedText(parseRate, { description: "A rate.", examples: ["10/minute", "5/second"] });

export const expiresText = checkedText(parseExpires, {
  description: "A moment with its offset from UTC, in quotes.",
  examples: ["2026-12-05T18:00+09:00"],
});

export const itemNameText = checkedText(parseItemName, {
  description: "A name of lower-case letters, digits and -.",
  examples: ["office"],
});

export const documentNameText = checkedText(parseDocumentName, {
  description: "The name of a document.",
  examples: ["web-host"],
});

export const labelValueText = checkedText(parseLabelValue, { description: "The value of a label.", examples: ["web"] });

export const macText = checkedText(parseMac, {
  description: "A hardware address, in quotes.",
  examples: ["52:54:00:aa:10:01"],
});

export const interfaceNameText = checkedText(parseInterfaceName, {
  description: "The kernel's name of an interface.",
  examples: ["eth0"],
});

export const portNumber = z
  .number()
  .int()
  .min(1)
  .max(65_535)
  .meta({ description: "A port.", examples: [443] });

/** `without: [name]` or `without: [{ name, why }]`: items of wider layers that shall not hold here. The value is always the long form. */
export const withoutList = oneOrList(
  z.union([itemNameText, z.strictObject({ name: itemNameText, why: proseText("Why the item shall not hold here.") })]),
)
  .transform((items) =>
    items.map((item): { name: string; why?: string } => (typeof item === "string" ? { name: item } : item)),
  )
  .meta({ description: "Names of items of wider layers that shall not hold here, each with why." });
