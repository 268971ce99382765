import { expect, test } from "vitest";
import { withSagaHouse } from "./saga-house.ts";

test("the normal run: prepared, executed, back over a new session, confirmed, recorded", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const apply = await house.apply(server);
    const ended = await house.ended(apply.id);
    expect(ended).toMatchObject({ state: "APPLIED", server_is: "as_requested", code: null, effect: null, lease_owner: null });
    expect(agent.calls.filter((call) => call !== "getTransaction")).toEqual(["prepare", "execute", "confirm"]);
    const [sent] = await house.sent(apply.id);
    expect(sent).toMatchObject({ kind: "forward", outcome: "finalized" });
    expect(sent?.receipt).toMatchObject({ body: expect.stringContaining(sent?.request_id ?? "?") });
    const row = await house.readServer(server);
    expect(row).toMatchObject({ generation: 1, confirmed_digest: sent?.config_digest, last_applied_id: apply.id, locked_code: null });
    expect(agent.ledger.outbox.size).toBe(0);
    expect(new Set(agent.commands.map((command) => command.requestId))).toEqual(new Set([sent?.request_id]));
  });
});
