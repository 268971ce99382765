/** Looks at a server whose instance died: the log says how each ended, once. */
import type { InstanceId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { AgentSessions } from "../src/gateway/agent-sessions.ts";
import { unendedLooks } from "../src/reconcilers/unended-looks.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";

test("a run or a look that nobody ended is ended, once, whoever looks; one that was ended, refused or is young is left alone", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const said = (action: string, requestId: string | null, resultCode = "ok", facts = {}): Promise<unknown> =>
      house.do(async (tx) =>
        tx.audit({
          ...house.by,
          action,
          object: `server/${server}`,
          serverId: server,
          ...(requestId === null ? {} : { requestId }),
          new: facts,
          resultCode,
        }),
      );
    const [lostRun, lostLook, ended, refused] = [newId(), newId(), newId(), newId()];
    await said("server.tool_begun", lostRun, "ok", { tool: "ping", host: "192.0.2.1" });
    await said("server.packets_watched", lostLook);
    await said("server.tool_begun", ended, "ok", { tool: "trace" });
    await said("server.tool_ended", ended, "ok", { tool: "trace", outcome: "done" });
    await said("server.packets_watched", refused, "server.unreachable");
    await said("server.packets_watched", null);
    const run = (over?: { tool: number; packets: number }): Promise<void> =>
      unendedLooks(over).run({
        database: app,
        instanceId: newId<InstanceId>(),
        sessions: new AgentSessions(),
        log: pino({ level: "silent" }),
        signal: new AbortController().signal,
      });
    const ends = (): Promise<readonly unknown[]> =>
      app.rows(
        sql`select action, request_id, new, result_code from audit_log where actor like 'system/unended-looks%' order by id`,
      );
    await run();
    expect(await ends()).toEqual([]);
    await house.do((tx) => tx.run(sql`delete from duties`));
    await run({ tool: 0, packets: 0 });
    const expected = [
      {
        action: "server.tool_ended",
        request_id: lostRun,
        new: { tool: "ping", outcome: "lost" },
        result_code: "tools.lost",
      },
      {
        action: "server.packets_watch_ended",
        request_id: lostLook,
        new: { outcome: "lost" },
        result_code: "packets.lost",
      },
    ];
    expect(await ends()).toEqual(expected);
    // Another instance, while the first has the duty and when it is free.
    await run({ tool: 0, packets: 0 });
    await house.do((tx) => tx.run(sql`delete from duties`));
    await run({ tool: 0, packets: 0 });
    expect(await ends()).toEqual(expected);
  });
});
