import { create } from "@bufbuild/protobuf";
import { type ProblemCode, PROBLEMS } from "@holdfast/core/api/problem-code.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { type SealedSecret, SealedSecretSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { sealedAbout } from "@holdfast/proto/wire/sealed-secret.ts";
import type { Logger } from "pino";
import { Refused } from "../api/refused.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import type { Database } from "../store/database.ts";
import { sealForServer } from "./seal-for-server.ts";
import type { SecretStore } from "./secret-store.ts";

/** Why a secret did not go with its change, and what a person does about it. */
interface NotSent {
  readonly code: ProblemCode | "secret.not_named" | "secret.gone" | "secret.no_sealing_key" | "secret.bad_sealing_key";
  readonly message: string;
}

/**
 * What goes with a config to its server, sealed for its guard. One that cannot be sealed is left out, and the guard refuses the whole with an
 * outcome: the log here says why.
 */
export async function secretsForServer(
  store: Pick<SecretStore, "value">,
  database: Database,
  session: Pick<AgentSession, "serverId" | "sealingKey">,
  requestId: string,
  files: readonly string[],
  log: Logger,
): Promise<SealedSecret[]> {
  const messages: SealedSecret[] = [];
  for (const file of files) {
    const one = await sealOne(store, database, session, requestId, file);
    if (one.ok) messages.push(one.value);
    else
      log.error(
        { result_code: one.error.code, secret: file, server_id: session.serverId },
        `a secret was not sent: ${one.error.message}`,
      );
  }
  return messages;
}

async function sealOne(
  store: Pick<SecretStore, "value">,
  database: Database,
  { serverId, sealingKey }: Pick<AgentSession, "serverId" | "sealingKey">,
  requestId: string,
  file: string,
): Promise<Result<SealedSecret, NotSent>> {
  if (sealingKey === null)
    return err({
      code: "secret.no_sealing_key",
      message: "the agent has told no sealing key that its guard vouches for; restart the agent, and look at its log",
    });
  const named = parseSecretFile(file);
  if (!named.ok) return err({ code: "secret.not_named", message: `${named.error}; plan the change again` });
  try {
    const value = await store.value(database, named.value.name, named.value.version);
    if (value === null)
      return err({
        code: "secret.gone",
        message: "the store does not have it any more; rotate it, or write it again, and plan the change again",
      });
    const about = sealedAbout({ serverId, requestId, file });
    const sealed = sealForServer(sealingKey, Buffer.from(value, "utf8"), about);
    if (sealed === null)
      return err({
        code: "secret.bad_sealing_key",
        message:
          "nothing can be sealed with the key that the server's guard has told; remove its sealing key there and restart the agent, which makes another one",
      });
    return ok(create(SealedSecretSchema, { file, ...sealed }));
  } catch (error) {
    if (error instanceof Refused)
      return err({ code: error.code, message: `${error.detail} ${error.remedy ?? PROBLEMS[error.code].remedy}` });
    throw error;
  }
}
