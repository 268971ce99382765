import { z } from "zod";
import { addressReferenceText, oneOrList, proseText, serviceReferenceText } from "./text-schema.ts";

/** What must hold, checked on the model while writing and by probes during the trial. */
export const expectationSchema = z
  .strictObject({
    from: oneOrList(addressReferenceText).meta({ description: "Where the packets come from." }),
    to: oneOrList(addressReferenceText).meta({ description: "Where they go." }),
    service: oneOrList(serviceReferenceText).meta({ description: "What they are for." }),
    is: z.enum(["open", "closed"]).meta({ description: "Whether they get through." }),
    why: proseText("Why this must hold.").optional(),
  })
  .meta({ description: "An expectation: from, to and service are written, any is a word." });

export const expectationsSchema = oneOrList(expectationSchema).meta({
  description: "What must hold; checked while writing, in the plan, and live during the trial.",
});

export type ExpectationText = z.output<typeof expectationSchema>;
