import { StoreFailure } from "../store/store-failure.ts";
import { refuse } from "./refused.ts";

/** An account that is closed, or open, already: said as such, not as what an apply would be told. */
export function refuseSoAlready(error: unknown, detail: string): never {
  if (error instanceof StoreFailure && error.code === "store.wrong_state") refuse("account.not_now", detail);
  throw error;
}
