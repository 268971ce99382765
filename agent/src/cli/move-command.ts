import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import { GRPC_ALPN } from "@holdfast/proto/wire/session.ts";
import { openLedger, type Role } from "../agent-program.ts";
import { addressesOf, readControlAddress } from "../enrol/control-address.ts";
import { writeLocalFloor } from "../enrol/local-floor.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readLocalFloor, unitePaths } from "../management-path.ts";
import { actOnUnit } from "../os/unit.ts";
import { readCredentials } from "../session/credentials.ts";
import { dial } from "../session/dial.ts";
import { readIdentity, writeIdentity } from "../settings.ts";
import type { Arguments } from "./arguments.ts";
import { complain, print } from "./print.ts";

/** Milliseconds; the session ends its connection in order. */
const RESTART_TIMEOUT_MS = 60_000;

const OPEN =
  "a transaction is open on this server. Wait until it is confirmed or undone; holdfast-agent status says how long that takes";

/**
 * The control plane has another address. Nothing is written before this server has reached the same house there, by the authority that it trusts already, so
 * a typing error leaves everything as it was. Not while a transaction is open: its confirmation is on its way to the old address.
 *
 * The floor is written before the address: killed in between, the new address is kept open for nothing. The old one stays in the floor, for the way back,
 * until it is said that nobody needs it: a plan that closes an address of the floor is refused.
 */
export async function moveControlPlane(role: Role, args: Arguments): Promise<ExitCode> {
  const wanted = readControlAddress(args.values.control);
  if (!wanted.ok) {
    complain(wanted.error);
    return EXIT.usage;
  }
  const { host, port } = wanted.value;
  const refused = (why: string): ExitCode => {
    complain(`Nothing was changed: ${why}`);
    return EXIT.failed;
  };
  const identity = readIdentity(role.paths);
  if (!identity.ok) return refused(identity.error);
  const credentials = readCredentials(role.paths);
  if (!credentials.ok) return refused(credentials.error);
  const floor = readLocalFloor(role.paths.floor);
  if (!floor.ok) return refused(floor.error);
  const ledger = await openLedger(role);
  if (!ledger.ok) return refused(`${ledger.error}. Are you root?`);
  try {
    const isOpen = (): boolean => openTransaction(ledger.value.read()) !== null;
    if (isOpen()) return refused(OPEN);
    const addresses = await addressesOf(host);
    if (!addresses.ok) return refused(addresses.error);
    const reached = await dial(wanted.value, credentials.value, GRPC_ALPN);
    if (!reached.ok) {
      complain(`Nothing was changed: this house is not reached at ${host}:${port}: ${reached.error}`);
      return EXIT.unreachable;
    }
    reached.value.destroy();
    // Dialling takes its time. One that begins later than this loses its session to the restart, and undoes if no new one comes.
    if (isOpen()) return refused(OPEN);
    const there = addresses.value.map((address) => ({ address, port }));
    const { only } = args.values;
    writeLocalFloor(
      role.paths,
      only ? { ...floor.value, controlPlane: there } : unitePaths(floor.value, { controlPlane: there, inbound: [] }),
    );
    writeIdentity(role.paths, { ...identity.value, controlPlane: { host, port } });
  } finally {
    ledger.value.close();
  }
  const { host: oldHost, port: oldPort } = identity.value.controlPlane;
  print(`The control plane is dialled at ${host}:${port} from now on; it was ${oldHost}:${oldPort}.`);
  print(
    args.values.only
      ? `${role.paths.floor} keeps no other address open.`
      : `${role.paths.floor} keeps both open. When the control plane has left the old one: the same with --only.`,
  );
  if (role.init.kind === "plain") {
    print("There is no systemd here: stop holdfast-agent run, and start it again.");
    return EXIT.done;
  }
  const restarted = await actOnUnit("holdfast-agent.service", "restart", RESTART_TIMEOUT_MS);
  if (restarted.ok) return EXIT.done;
  complain(`The session goes on at the old address until it is restarted: ${restarted.error}`);
  return EXIT.failed;
}
