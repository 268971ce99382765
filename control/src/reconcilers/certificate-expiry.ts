import { listExpiring } from "../store/enrolment.ts";
import type { Reconciler } from "./context.ts";

/** Agents renew at half of seven days. One with less than two days left has failed to for a day and a half. */
const WARN_SECONDS = 2 * 24 * 3_600;

/** Names, once per certificate, what will soon shut its server out. */
export function certificateExpiry(): Reconciler {
  const said = new Set<string>();
  return {
    name: "certificate-expiry",
    everyMs: 60_000,
    async run({ database, log }) {
      for (const key of await listExpiring(database, WARN_SECONDS)) {
        const name = `${key.tls_key_sha256} ${key.certificate_serial ?? ""}`;
        if (said.has(name)) continue;
        said.add(name);
        log.error(
          { server_id: key.server_id, not_after: key.not_after, result_code: "agent.certificate_expiring" },
          "an agent has not renewed its certificate; it will be shut out when it ends",
        );
      }
    },
  };
}
