/**
 * Gives a signer's folder another command key, while no signer serves it:
 *   HOLDFAST_SIGNER_DIR=/var/lib/holdfast-signer node control/src/signer/change-key-main.ts --yes
 * What it writes belongs to whoever the folder belongs to.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { changeCommandKey } from "./command-key.ts";
import { lockFolder } from "./folder-lock.ts";

const EXIT_USAGE = 64;

await main();

async function main(): Promise<void> {
  const folder = process.env["HOLDFAST_SIGNER_DIR"] ?? "";
  if (!path.isAbsolute(folder) || process.argv[2] !== "--yes") {
    process.stderr.write(
      "Changes the command key of this house. Stop every control plane and signer first, and see holdfast command-key show.\n" +
        "Usage: HOLDFAST_SIGNER_DIR=FOLDER node control/src/signer/change-key-main.ts --yes\n",
    );
    process.exitCode = EXIT_USAGE;
    return;
  }
  const { uid, gid } = statSync(folder);
  if (process.getuid?.() === 0 && uid !== 0) {
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  if (!lockFolder(path.join(folder, "signer.lock"))) {
    process.stderr.write(
      `signer.in_use: a signer serves ${folder}; stop it, or the control plane that started it, first\n`,
    );
    process.exitCode = 1;
    return;
  }
  const { from, to } = await changeCommandKey(folder);
  process.stdout.write(
    `The command key ${from} is gone; ${to} is in its place. Start again: each server is led to it when its agent connects.\n` +
      "Other signers of this house need a copy of command-key.pem and command-keys.json before they start.\n",
  );
}
