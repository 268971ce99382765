import { isIP } from "node:net";

/** Whom passkeys are made for: a name that the browser holds each of them to. */
export type RelyingParty =
  | { readonly kind: "name"; readonly id: string; readonly origin: string }
  /** `why` is a sentence for whoever asks for one all the same. */
  | { readonly kind: "none"; readonly why: string };

/** Of the address of the console. What browsers refuse is known here, so that it can be said before anybody tries. */
export function relyingPartyOf(publicUrl: URL): RelyingParty {
  const { hostname, origin, protocol } = publicUrl;
  if (isIP(hostname.replace(/^\[(.*)\]$/, "$1")) !== 0)
    return { kind: "none", why: `The console is at ${origin}, which is an address and not a name.` };
  const isLocal = hostname === "localhost" || hostname.endsWith(".localhost");
  if (protocol !== "https:" && !isLocal)
    return { kind: "none", why: `The console is at ${origin}, which is not https.` };
  return { kind: "name", id: hostname, origin };
}
