import { lookup } from "node:dns/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { reasonOf } from "../log/log.ts";

/** Where a control plane is dialled: a name or a literal address, and a port. */
export interface ControlAddress {
  readonly host: string;
  readonly port: number;
}

/** `--control HOST:PORT`, with brackets around an IPv6 address. */
export function readControlAddress(text: string | undefined): Result<ControlAddress, string> {
  const address = /^(\[[0-9a-f:.]+\]|[^:[\]]+):(\d{1,5})$/i.exec(text ?? "");
  const port = Number(address?.[2]);
  if (address?.[1] === undefined || port < 1 || port > 65_535)
    return err("--control needs HOST:PORT, for example control.example.net:7081");
  return ok({ host: address[1].replace(/^\[|\]$/g, ""), port });
}

/** Its literal addresses now, as this server resolves them. */
export async function addressesOf(host: string): Promise<Result<readonly string[], string>> {
  try {
    return ok([...new Set((await lookup(host, { all: true })).map(({ address }) => address))].sort());
  } catch (error) {
    return err(`${host} has no address: ${reasonOf(error)}`);
  }
}
