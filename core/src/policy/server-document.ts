import { z } from "zod";
import { err } from "../base/result.ts";
import type { InterfaceBinding } from "../compose/layered-section.ts";
import { API_VERSION } from "./document.ts";
import { parseItemName } from "./name.ts";
import { type ParameterValue, parameterValuesSchema } from "./parameter.ts";
import {
  addressText,
  checkedText,
  documentNameText,
  interfaceNameText,
  itemNameText,
  labelValueText,
  macText,
  oneOrList,
  proseText,
} from "./text-schema.ts";

export interface ServerBody {
  readonly description?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly interfaces: Readonly<Record<string, InterfaceBinding>>;
  readonly params: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>;
  /** Nothing but its floors holds here: the server goes back to what was found before Holdfast. */
  readonly leaves: boolean;
}

const bindingSchema = z
  .strictObject({ mac: macText.optional(), name: interfaceNameText.optional() })
  .transform((binding, context): InterfaceBinding => {
    const { mac, name } = binding;
    if (mac !== undefined && name === undefined) return { mac: mac.toLowerCase() };
    if (name !== undefined && mac === undefined) return { name };
    context.addIssue({ code: "custom", message: "A role is bound by mac or by name: exactly one of them." });
    return z.NEVER;
  })
  .meta({
    description: "The hardware behind a role: by hardware address, or by the kernel's name.",
    examples: [{ mac: "52:54:00:aa:10:01" }],
  });

/** Label keys that mean something else in a selector. */
const RESERVED_LABELS = ["all", "server"];

const labelKeyText = checkedText(
  (key) =>
    RESERVED_LABELS.includes(key)
      ? err(`${key} has a meaning of its own in a selector; choose another name for the label`)
      : parseItemName(key),
  {
    description: "The name of a label.",
    examples: ["role", "site"],
  },
);

export const serverSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Server"),
    name: documentNameText,
    description: proseText("What the server is.").optional(),
    labels: z
      .record(labelKeyText, labelValueText)
      .optional()
      .meta({
        description: "Labels, which selectors and role: and site: look at.",
        examples: [{ role: "web", site: "busan" }],
      }),
    addresses: oneOrList(addressText)
      .optional()
      .meta({ description: "Its addresses as others reach it, the management address first." }),
    interfaces: z
      .record(itemNameText, bindingSchema)
      .optional()
      .meta({ description: "What hardware each interface role is; a role without a binding is the kernel's name." }),
    params: parameterValuesSchema.optional(),
    leaves: z.boolean().optional().meta({
      description:
        "true: no policy and no tunnel holds here any more, and every setting goes back to what was found before Holdfast. The last change before a server is released.",
    }),
  })
  .meta({ title: "Server", description: "One machine: labels, hardware, parameter values." });
