import type { KeyStanding } from "@holdfast/core/api/command-key.ts";
import { trustedKeys } from "../../authority/store/trusted-keys.ts";
import type { House } from "../../house.ts";
import { chainIds } from "../../signer/key-chain.ts";
import { assertAdministers } from "../administers.ts";
import type { Handlers } from "../handler.ts";

/** It is changed where it lies, by somebody who may touch the signer; here is seen what came of it. */
export function commandKeyHandlers(house: House): Pick<Handlers, "getCommandKey"> {
  return {
    async getCommandKey({ caller }) {
      assertAdministers(caller);
      const { keyId, links, publicKeyHex } = house.commandKey;
      const keys = chainIds(links, publicKeyHex) ?? [keyId];
      const rows = await trustedKeys(house.database);
      return {
        value: {
          keyId,
          keys: [...keys],
          servers: rows.map(({ name, key_id, connected }) => ({
            server: name,
            standing: standingOf(key_id, keyId, keys),
            keyId: key_id === "" ? null : key_id,
            connected,
          })),
        },
      };
    },
  };
}

function standingOf(trusted: string | null, now: string, keys: readonly string[]): KeyStanding {
  if (trusted === null) return "not_seen";
  if (trusted === "") return "too_old";
  if (trusted === now) return "current";
  return keys.includes(trusted) ? "behind" : "other";
}
