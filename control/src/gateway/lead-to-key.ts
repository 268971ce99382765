import type { Logger } from "pino";
import type { CommandSigner } from "../signer/command-signer.ts";
import type { AgentClient } from "./agent-client.ts";

/** Where the facts of a server say which command key its guard trusts. */
export const COMMAND_KEY = "commandKeyId";

/** It writes one small file. */
const ADOPT_TIMEOUT_MS = 10_000;

/**
 * Leads an agent that trusts an older command key to the one of now, before anything else is asked of it. One that does not follow obeys nothing
 * that is signed here, and says so itself when it is asked to; what is in force there stays in force.
 *
 * @param said what it says that it trusts; empty for an agent that knows nothing of this
 * @returns what it trusts in the end
 */
export async function leadToKey(
  said: string,
  client: Pick<AgentClient, "adoptKeys">,
  { keyId, links }: Pick<CommandSigner, "keyId" | "links">,
  log: Logger,
): Promise<string> {
  if (said === keyId) return said;
  const told = { result_code: "session.other_command_key", trusted: said, key_id: keyId };
  if (said === "") {
    // As long as it was never changed, the key of its enrolment is the one of now.
    if (links.length > 0)
      log.warn(told, "this agent is too old to be led to another command key: upgrade it, or enrol it again");
    return said;
  }
  try {
    const bytes = links.map(({ previous, next, signature }) => ({
      previousKey: Buffer.from(previous, "hex"),
      nextKey: Buffer.from(next, "hex"),
      signature: Buffer.from(signature, "base64"),
    }));
    const { commandKeyId } = await client.adoptKeys({ links: bytes }, { timeoutMs: ADOPT_TIMEOUT_MS });
    if (commandKeyId === keyId) log.info({ result_code: "ok", key_id: keyId }, "the agent trusts the new command key");
    else log.error({ ...told, trusted: commandKeyId }, "the agent trusts another command key than the one of now");
    return commandKeyId;
  } catch (error) {
    log.error(
      { ...told, err: error },
      "the agent does not follow to the command key of now, and obeys nothing from here",
    );
    return said;
  }
}
