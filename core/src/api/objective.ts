import { z } from "zod";
import { OBJECTIVE_NAMES } from "../objective/objective.ts";

export const objectiveSchema = z.object({
  name: z.enum(OBJECTIVE_NAMES),
  promised: z.number().describe("The share of what is counted that must be good"),
  withinSeconds: z.int().nullable().describe("Good is what took no longer; null where time does not matter"),
  counted: z.int().describe("How many there were in these days, on the servers that you may see"),
  good: z.int(),
  share: z.number().nullable().describe("Null: there was nothing to count"),
  budgetLeft: z
    .number()
    .nullable()
    .describe("Of what may go wrong, what is left: 1 all of it, 0 nothing, below 0 more went wrong than is promised"),
});
export type ObjectiveStanding = z.infer<typeof objectiveSchema>;

export const objectivesSchema = z.object({
  days: z.int().describe("Days that are looked back over"),
  items: z.array(objectiveSchema),
});
