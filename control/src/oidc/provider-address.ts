import { whyAddressRefused } from "../notify/address-guard.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Why a provider is not asked at this address; null where it may be. Without TLS anybody on the way could say who signs in, so only this machine is asked so. */
export function whyProviderRefused(url: URL): string | null {
  if (url.username !== "" || url.password !== "") return "expected an address without user and password";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.test(url.hostname)))
    return "expected an https address; http only for a provider on this machine";
  return whyAddressRefused(url.hostname);
}
