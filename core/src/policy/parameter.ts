import { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { addressSetFromText, contains, setOfNetwork } from "../net/address-set.ts";
import { parseAddress } from "../net/address.ts";
import { formatNetwork, parseInterfaceAddress } from "../net/network.ts";
import { didYouMean } from "./spelling.ts";
import { itemNameText, oneOrList, proseText } from "./text-schema.ts";

/** Values are texts as they were written, a port a number, networks a list. They are put in whole, never into a text. */
export type ParameterValue = string | number | readonly string[];

const valueSchema = z.union([z.string(), z.number().int(), z.array(z.string())]).meta({
  description: "The value of a parameter: a text, a number, or a list of networks.",
});

const about = { description: proseText("What the value is for.").optional(), default: valueSchema.optional() };

export const parameterSchema = z
  .discriminatedUnion("type", [
    z
      .strictObject({ type: z.literal("interface-address"), ...about })
      .meta({ description: "The address of an interface with the length of its network." }),
    z
      .strictObject({ type: z.literal("address"), in: itemNameText.optional(), ...about })
      .meta({ description: "One address; in: names the interface-address parameter whose network it must stand in." }),
    z
      .strictObject({ type: z.literal("networks"), ...about })
      .meta({ description: "Networks, addresses and ranges, or any." }),
    z.strictObject({ type: z.literal("port"), ...about }).meta({ description: "A port." }),
    z
      .strictObject({ type: z.literal("choice"), of: oneOrList(z.string().min(1)), ...about })
      .meta({ description: "One of the texts that `of` lists." }),
  ])
  .meta({
    description:
      "A typed parameter, used as $name. A Server that is selected gives the value, unless there is a default.",
  });

export type ParameterDeclaration = z.output<typeof parameterSchema>;
export type ParameterDeclarations = Readonly<Record<string, ParameterDeclaration>>;

export const parameterDeclarationsSchema = z
  .record(itemNameText, parameterSchema)
  .meta({ description: "Typed parameters of this policy." });

/** The values that one Server gives, by name of the policy and of the parameter. */
export const parameterValuesSchema = z
  .record(z.string(), z.record(itemNameText, valueSchema))
  .meta({ description: "Values for the parameters of policies: name of the policy, then name of the parameter." });

/** The name in `$name`, or null when the value is something else. */
export function parameterName(value: Json): string | null {
  if (typeof value !== "string") return null;
  const found = /^\$([a-z](?:[a-z0-9-]*[a-z0-9])?)$/.exec(value);
  return found === null ? null : (found[1] ?? null);
}

/** Checks a value against the declaration alone; `in:` needs the other values and is `checkWithin`. */
export function checkParameter(
  declaration: ParameterDeclaration,
  value: ParameterValue,
): Result<ParameterValue, string> {
  switch (declaration.type) {
    case "interface-address":
      return checkText(value, parseInterfaceAddress, "the address of an interface, like 10.20.10.1/24");
    case "address":
      return checkText(value, parseAddress, "one address, like 10.20.10.5");
    case "port":
      return typeof value === "number" && value >= 1 && value <= 65_535
        ? ok(value)
        : err(`${JSON.stringify(value)} is not a port; write a number from 1 to 65535`);
    case "choice":
      if (typeof value === "string" && declaration.of.includes(value)) return ok(value);
      return err(
        `${JSON.stringify(value)} is not one of ${declaration.of.join(", ")}${typeof value === "string" ? didYouMean(value, declaration.of) : ""}`,
      );
    case "networks":
      return checkNetworks(value);
  }
}

/** An `address` with `in:` must stand in the network of that interface address, and be another host of it. */
export function checkWithin(
  declaration: ParameterDeclaration,
  value: ParameterValue,
  values: Readonly<Record<string, ParameterValue>>,
): Result<ParameterValue, string> {
  if (declaration.type !== "address" || declaration.in === undefined) return ok(value);
  const around = values[declaration.in];
  const network = typeof around === "string" ? parseInterfaceAddress(around) : undefined;
  const address = typeof value === "string" ? parseAddress(value) : undefined;
  // Either being wrong in itself is said elsewhere.
  if (network?.ok !== true || address?.ok !== true) return ok(value);
  if (!contains(setOfNetwork(network.value.network), address.value)) {
    return err(
      `${String(value)} does not stand in ${formatNetwork(network.value.network)}, the network of ${declaration.in}`,
    );
  }
  if (address.value.value === network.value.address.value)
    return err(`${String(value)} is the address of ${declaration.in} itself`);
  return ok(value);
}

/** A value of the type, to check with it that a section could be right. */
export function sampleOf(declaration: ParameterDeclaration): ParameterValue {
  switch (declaration.type) {
    case "interface-address":
      return "192.0.2.1/24";
    case "address":
      return "192.0.2.10";
    case "networks":
      return ["192.0.2.0/24"];
    case "port":
      return 8443;
    case "choice":
      return declaration.of[0] ?? "";
  }
}

function checkText(
  value: ParameterValue,
  parse: (text: string) => Result<unknown, string>,
  expected: string,
): Result<ParameterValue, string> {
  if (typeof value !== "string") return err(`${JSON.stringify(value)} is not ${expected}`);
  const parsed = parse(value);
  return parsed.ok ? ok(value) : parsed;
}

function checkNetworks(value: ParameterValue): Result<ParameterValue, string> {
  if (typeof value === "number") return err(`${value} is not a list of networks; write them like 10.20.0.0/16, or any`);
  const items = typeof value === "string" ? [value] : value;
  for (const item of items) {
    if (item === "any" && items.length === 1) continue;
    const parsed = addressSetFromText(item);
    if (!parsed.ok)
      return err(item === "any" ? "any stands alone: beside it every other network is moot" : parsed.error);
  }
  return ok(items);
}
