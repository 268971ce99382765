import { readFileSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseNetwork } from "@holdfast/core/net/network.ts";
import type { Role } from "../agent-program.ts";
import { readControlAddress } from "../enrol/control-address.ts";
import { enroll, type EnrolWish } from "../enrol/enroll.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { reasonOf } from "../log/log.ts";
import { enableUnits } from "../os/units.ts";
import type { Arguments } from "./arguments.ts";
import { complain, print } from "./print.ts";

export async function enrollHere(role: Role, args: Arguments): Promise<ExitCode> {
  const wish = readWish(args);
  if (!wish.ok) {
    complain(wish.error);
    return EXIT.usage;
  }
  const enrolled = await enroll(role.paths, role.clock, {
    ...wish.value,
    onPending: (fingerprint) =>
      print(`Waiting for an operator to approve. Let them compare this fingerprint:\n\n  ${fingerprint}\n`),
  });
  if (!enrolled.ok) {
    complain(`Not enrolled: ${enrolled.error}`);
    return EXIT.failed;
  }
  print(`Enrolled as ${enrolled.value.serverName} (${enrolled.value.serverId}).`);
  if (role.init.kind === "plain") {
    print("There is no systemd here: start the agent with  holdfast-agent run");
    return EXIT.done;
  }
  const enabled = await enableUnits(Object.keys(role.program.registry));
  if (enabled.ok) return EXIT.done;
  complain(`The units could not be started: ${enabled.error}`);
  return EXIT.failed;
}

function readWish({ values }: Arguments): Result<Omit<EnrolWish, "onPending">, string> {
  const control = readControlAddress(values.control);
  if (!control.ok) return control;
  const fingerprint = values["ca-fingerprint"] ?? "";
  if (!/^([0-9a-f]{2}[\s:]?){32}$/i.test(fingerprint))
    return err("--ca-fingerprint needs the SHA-256 of the control plane's authority, 64 hexadecimal digits");
  const token = readToken(values.token, values["token-file"]);
  if (!token.ok) return token;
  const networks = values["management-network"] ?? [];
  const wrong = networks.find((network) => !parseNetwork(network).ok);
  if (wrong !== undefined) return err(`--management-network ${wrong} is no network such as 192.0.2.0/24`);
  const sshPorts = (values["ssh-port"] ?? ["22"]).map(Number);
  if (!sshPorts.every((one) => Number.isInteger(one) && one >= 1 && one <= 65_535))
    return err("--ssh-port needs a port number");
  return ok({
    ...control.value,
    authorityFingerprint: fingerprint,
    token: token.value,
    managementNetworks: networks,
    sshPorts,
  });
}

/** A file keeps the token out of the list of processes. */
function readToken(token: string | undefined, file: string | undefined): Result<string, string> {
  if (token !== undefined && token !== "") return ok(token);
  if (file === undefined) return err("--token or --token-file is needed; holdfast server enroll NAME gives one");
  try {
    return ok(readFileSync(file, "utf8").trim());
  } catch (error) {
    return err(`--token-file: ${reasonOf(error)}`);
  }
}
