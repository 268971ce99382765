import { RETENTION_SECONDS } from "@holdfast/core/api/retention.ts";
import { forgetChallenges } from "../account/store/passkeys.ts";
import { forgetAlerts } from "../store/alerts.ts";
import { forgetKeys } from "../store/idempotency-keys.ts";
import { forgetQuestions } from "../store/questions.ts";
import { transaction } from "../store/transaction.ts";
import type { Reconciler } from "./context.ts";

/** Forgets answers that nobody will ask for again, and alerts that were over a year ago. */
export const retention: Reconciler = {
  name: "retention",
  everyMs: 3_600_000,
  async run({ database }) {
    const forgotten = await transaction(database, async (tx) => {
      await forgetKeys(tx, RETENTION_SECONDS.requestKeys);
      await forgetQuestions(tx, RETENTION_SECONDS.questions);
      await forgetAlerts(tx, RETENTION_SECONDS.resolvedAlerts);
      await forgetChallenges(tx);
    });
    if (!forgotten.ok) throw forgotten.error;
  },
};
