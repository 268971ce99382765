import { commandKeySchema, type KeyStanding } from "@holdfast/core/api/command-key.ts";
import { buildRouteMap } from "@stricli/core";
import { verb } from "../verb.ts";
import { table } from "../view/table.ts";

const WORDS = {
  current: "obeys it",
  behind: "an older one; is led to it when its agent connects",
  too_old: "its agent cannot be led: upgrade it",
  not_seen: "has not said yet",
  other: "none of this house: enroll it again",
} as const satisfies Record<KeyStanding, string>;

const show = verb({
  brief: "The key that servers obey, and which of them obey it already",
  example: "command-key show",
  run: async (client) => {
    const value = await client.call("getCommandKey", { answer: commandKeySchema });
    const { keyId, keys, servers } = value;
    return {
      value,
      text: (context) =>
        [
          `The command key is ${keyId}${keys.length === 1 ? "; it was never changed" : `, after ${keys.slice(0, -1).join(", ")}`}.`,
          table(
            context,
            ["server", "obeys", "key", "agent"],
            servers.map(({ server, standing, keyId: own, connected }) => [
              server,
              WORDS[standing],
              own ?? "",
              connected ? "connected" : "away",
            ]),
            "No server is enrolled.",
          ),
        ].join("\n"),
    };
  },
});

export const commandKeyRoutes = buildRouteMap({
  routes: { show },
  docs: { brief: "The key that servers obey; it is changed where the signer keeps it" },
});
