import { create } from "@bufbuild/protobuf";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { EffectiveConfig } from "@holdfast/core/compose/effective-config.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { type SealedSecret, SealedSecretSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { sealedAbout } from "@holdfast/proto/wire/sealed-secret.ts";
import type { Logger } from "pino";
import { Refused } from "../api/refused.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import type { Database } from "../store/database.ts";
import { sealForServer } from "./seal-for-server.ts";
import type { SecretStore } from "./secret-store.ts";

/**
 * What goes with a config to its server, sealed for its guard. One that cannot be sealed is left out, and the guard refuses the whole with an
 * outcome: the log here says why.
 */
export async function secretsForServer(
  store: SecretStore,
  database: Database,
  session: Pick<AgentSession, "serverId" | "sealingKey">,
  requestId: string,
  configJson: string,
  log: Logger,
): Promise<SealedSecret[]> {
  const files = configJson === "" ? [] : ((JSON.parse(configJson) as EffectiveConfig).secrets ?? []);
  const messages: SealedSecret[] = [];
  for (const file of files) {
    const one = await sealOne(store, database, session, requestId, file);
    if (one.ok) messages.push(one.value);
    else log.error({ result_code: "secret.not_sent", secret: file, server_id: session.serverId }, one.error);
  }
  return messages;
}

async function sealOne(
  store: SecretStore,
  database: Database,
  { serverId, sealingKey }: Pick<AgentSession, "serverId" | "sealingKey">,
  requestId: string,
  file: string,
): Promise<Result<SealedSecret, string>> {
  if (sealingKey === null) return err("the agent has told no sealing key that its guard vouches for");
  const named = parseSecretFile(file);
  if (!named.ok) return named;
  try {
    const value = await store.value(database, named.value.name, named.value.version);
    if (value === null) return err("the store does not have it any more");
    const about = sealedAbout({ serverId, requestId, file });
    return ok(create(SealedSecretSchema, { file, ...sealForServer(sealingKey, Buffer.from(value, "utf8"), about) }));
  } catch (error) {
    if (error instanceof Refused) return err(error.detail);
    throw error;
  }
}
