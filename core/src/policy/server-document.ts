import { z } from "zod";
import type { InterfaceBinding } from "../compose/layered-section.ts";
import { API_VERSION } from "./document.ts";
import { type ParameterValue, parameterValuesSchema } from "./parameter.ts";
import { addressText, documentNameText, interfaceNameText, itemNameText, labelValueText, macText, oneOrList, proseText } from "./text-schema.ts";

export interface ServerBody {
  readonly description?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly interfaces: Readonly<Record<string, InterfaceBinding>>;
  readonly params: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>;
}

const bindingSchema = z
  .union([z.strictObject({ mac: macText }), z.strictObject({ name: interfaceNameText })])
  .meta({ description: "The hardware behind a role: by hardware address, or by the kernel's name." });

/** Label keys that mean something else in a selector. */
const RESERVED_LABELS = ["all", "server"];

const labelKeyText = itemNameText.refine((key) => !RESERVED_LABELS.includes(key), { error: "all and server have a meaning of their own in a selector; choose another name for the label" });

export const serverSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Server"),
    name: documentNameText,
    description: proseText("What the server is.").optional(),
    labels: z.record(labelKeyText, labelValueText).optional().meta({ description: "Labels, which selectors and role: and site: look at.", examples: [{ role: "web", site: "busan" }] }),
    addresses: oneOrList(addressText).optional().meta({ description: "Its addresses as others reach it, the management address first." }),
    interfaces: z.record(itemNameText, bindingSchema).optional().meta({ description: "What hardware each interface role is; a role without a binding is the kernel's name." }),
    params: parameterValuesSchema.optional(),
  })
  .meta({ title: "Server", description: "One machine: labels, hardware, parameter values." });
