import type { RouteName } from "@holdfast/core/api/route.ts";
import { type MockAnswer, refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import type { MockPasskey } from "./state.ts";

const done: MockAnswer = { status: 200, body: { done: true } };

function impossible(): never {
  return refuse("account.passkeys_impossible", "The console is at an address and not at a name.");
}

function passkeyOf({ state, params }: MockCall): MockPasskey {
  return (
    state.passkeys.find(({ id }) => id === params["id"]) ??
    refuse("resource.not_found", "There is no such passkey, or it is another's.")
  );
}

/** The mock holds no keys: nothing is made or shown, only listed, renamed, removed, and believed. */
export const PASSKEY_HANDLERS = {
  beginPasskeySignIn: impossible,
  signInWithPasskey: impossible,
  beginPasskey: impossible,
  addPasskey: impossible,
  beginStepUp: impossible,
  listPasskeys: ({ state }) => ({ status: 200, body: { items: state.passkeys } }),
  renamePasskey: (call) => {
    const passkey = passkeyOf(call);
    passkey.name = String(call.body["name"]);
    return { status: 200, body: passkey };
  },
  removePasskey: (call) => {
    const { state } = call;
    state.passkeys.splice(state.passkeys.indexOf(passkeyOf(call)), 1);
    return done;
  },
  stepUp: ({ state, session, user, body }) => {
    if (body["password"] !== user.password) return refuse("account.wrong_password", "The current password is wrong.");
    state.fresh.add(session ?? "");
    return done;
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
