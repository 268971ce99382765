/** By what each server's agent is known: as the API tells it. */
import { expect, test } from "vitest";
import { sql } from "../src/store/sql.ts";
import { EVERYTHING, withApi } from "./api-house.ts";

const DAY_MS = 24 * 3_600_000;

test("each server's certificate: whose it is, until when, how it stands; and nothing of servers that one may not see", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    await api.done(kim, "createServer", { body: { name: "web-2", labels: { role: "web" } } });
    const certificates = async (token: string) => (await api.done(token, "listCertificates")).items;
    const [first, second, ...none] = await certificates(kim);
    expect(none).toEqual([]);
    expect(first).toMatchObject({ server: "web-1", standing: "valid", earlier: 0, revokedAt: null, connected: true });
    expect(Date.parse(first?.notAfter ?? "")).toBeGreaterThan(Date.now() + DAY_MS);
    const keys = await api.house.database.rows<{ tls_key_sha256: string }>(
      sql`select tls_key_sha256 from agent_keys where state = 'active'`,
    );
    expect(keys.length).toBe(1);
    // The same words that the server itself has printed.
    expect(first?.fingerprint?.replace(/[^0-9a-f]/gi, "").toLowerCase()).toContain(
      keys[0]?.tls_key_sha256.slice(0, 16),
    );
    expect(second).toMatchObject({ server: "web-2", standing: "none", fingerprint: null, notAfter: null });

    await api.done(kim, "releaseServer", { params: { name: "web-2" }, body: { reason: "gone" } });
    expect((await certificates(kim)).map(({ server, standing }) => [server, standing])).toEqual([
      ["web-1", "valid"],
      ["web-2", "revoked"],
    ]);
    const lee = await api.account("lee", [{ permission: "view", scope: { role: "db" }, domains: null }]);
    expect(await certificates(lee)).toEqual([]);
  });
});
