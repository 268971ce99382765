import { z } from "zod";
import { API_VERSION } from "./document.ts";
import { addressReferenceText, itemNameText, oneOrList, proseText, serviceReferenceText } from "./text-schema.ts";

export interface GroupBody {
  readonly description?: string;
  readonly addresses?: readonly string[];
  readonly services?: readonly string[];
}

export const groupSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Group"),
    name: itemNameText,
    description: proseText("What the group is.").optional(),
    addresses: oneOrList(addressReferenceText)
      .optional()
      .meta({ description: "Addresses, networks, ranges, other groups, role: site: server:." }),
    services: oneOrList(serviceReferenceText)
      .optional()
      .meta({ description: "Services and other groups of services." }),
  })
  .superRefine((group, context) => {
    if (group.addresses === undefined && group.services === undefined) {
      context.addIssue({
        code: "custom",
        message: "A Group needs addresses or services; [] is a group that is empty on purpose.",
      });
    }
    for (const [index, text] of (group.addresses ?? []).entries()) {
      if (text === "self" || text.startsWith("zone:")) {
        context.addIssue({
          code: "custom",
          path: ["addresses", index],
          message: `${text} means something else on each server; a Group is the same everywhere.`,
        });
      }
    }
  })
  .meta({ title: "Group", description: "Shared addresses and services, under one name." });
