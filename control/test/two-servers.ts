import { bodyOf, planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING } from "./api-house.ts";

export const WEB = { role: "web" };

/** web-1 and db-1 with an agent each, one policy applied to each of them; the token of who did it. */
export async function twoServers(api: ApiHouse): Promise<string> {
  const kim = await api.account("kim", EVERYTHING);
  await api.server(kim, "web-1", WEB);
  await api.server(kim, "db-1", { role: "db" });
  for (const role of ["web", "db"]) {
    const change = await planned(api, kim, [policy(role, 443).replace("role: web", `role: ${role}`)], `${role} rules`);
    const { id } = await api.done(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
    await api.until(
      async () => ((await api.done(kim, "getRollout", { params: { id } })).state === "DONE" ? true : undefined),
      `${role}'s rollout`,
    );
  }
  return kim;
}
