import type { ApiHouse } from "./api-house.ts";

/** A policy of one rule. */
export const policy = (name: string, port: number, more = ""): string => `apiVersion: holdfast/v1
kind: Policy
name: ${name}
layer: role
selector: { role: web }
firewall:
  mode: enforce
  inbound:
    default: drop
    rules:
      - { name: ${name}-open, allow: tcp/${port}, from: any }
${more}`;

export async function planned(api: ApiHouse, token: string, texts: readonly string[], title = "a change") {
  const change = await api.done(token, "createChange", { body: { title, documents: texts.map((text) => ({ text })) } });
  return api.done(token, "planChange", { params: { id: change.id }, body: {} });
}

export type Planned = Awaited<ReturnType<typeof planned>>;

export const bodyOf = (change: Planned, kind: "forward" | "rollback" = "forward") => ({
  plans: change.plans
    .filter((plan) => plan.kind === kind)
    .map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })),
  acknowledge: change.plans.flatMap((plan) =>
    plan.findings
      .filter((finding) => finding.severity === "danger")
      .map((finding) => ({ server: plan.server, code: finding.code, path: finding.path })),
  ),
});

/** How a rollout ended. */
export async function ended(api: ApiHouse, token: string, rollout: string) {
  return api.until(async () => {
    const now = await api.done(token, "getRollout", { params: { id: rollout } });
    return now.state === "DONE" || now.state === "HALTED" ? now : undefined;
  }, "the rollout to end");
}

/** Applies what was planned, every danger accepted, and waits for its end. */
export async function applied(api: ApiHouse, token: string, change: Planned, more: object = {}) {
  const body = { ...bodyOf(change), ...more };
  return ended(api, token, (await api.done(token, "applyChange", { params: { id: change.id }, body })).id);
}
