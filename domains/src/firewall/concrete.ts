import type { Result } from "@holdfast/core/base/result.ts";
import { type AddressSet, addressSetFromJson, ANY } from "@holdfast/core/net/address-set.ts";
import { parseService, type Service } from "@holdfast/core/net/service.ts";
import type { FirewallConfig, Peer } from "./model.ts";

/** Lists of a config never change, so each is read once however often it is asked about. */
const readAddresses = new WeakMap<readonly string[], AddressSet>();
const readServices = new WeakMap<readonly string[], readonly Service[]>();

/** The texts of a config as values. A config has passed parse-config.ts before, so a text that cannot be read is a bug. */
export function addressesOf(texts: readonly string[]): AddressSet {
  const known = readAddresses.get(texts) ?? sure(addressSetFromJson(texts));
  readAddresses.set(texts, known);
  return known;
}

export function servicesOf(texts: readonly string[]): readonly Service[] {
  const known = readServices.get(texts) ?? texts.map(serviceOf);
  readServices.set(texts, known);
  return known;
}

/** Services of a fleet are few and short; every rule names some of them. */
const readServiceTexts = new Map<string, Service>();
/** Beyond this many different texts, somebody is generating them: forget all and go on. */
const MOST_SERVICE_TEXTS = 70_000;

function serviceOf(text: string): Service {
  const known = readServiceTexts.get(text);
  if (known !== undefined) return known;
  const service = sure(parseService(text));
  if (readServiceTexts.size >= MOST_SERVICE_TEXTS) readServiceTexts.clear();
  readServiceTexts.set(text, service);
  return service;
}

/** What the address part of a peer stands for; its interface part is another matter. */
export function peerAddresses(config: FirewallConfig, peer: Peer): AddressSet {
  if (peer.set !== undefined) return addressesOf(config.sets[peer.set] ?? []);
  return peer.addresses === undefined ? ANY : addressesOf(peer.addresses);
}

function sure<Value>(result: Result<Value, string>): Value {
  if (!result.ok) throw new Error(`a config that was not checked: ${result.error}`);
  return result.value;
}
