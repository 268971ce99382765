import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { Fault } from "./fault.ts";
import type { Ending, Stage } from "./stage.ts";

/** The server's wall clock, as the agent's programs see it. */
export const CLOCK_FAULTS: readonly Fault[] = [{ test: "fault-24-clock-jumps", suffer: clockJumps }];

const FOLDER = "/usr/local/lib/crooked-clock";
const UNITS = ["holdfast-agent", "holdfast-guard", "holdfast-module@", "holdfast-revert@"] as const;
const TEN_YEARS_MS = 10 * 365.25 * 86_400_000;

/** One kernel has one clock, which no server may move; so it is moved for the programs that are to be tried. */
const SHIFT = `import { readFileSync } from "node:fs";
const now = Date.now;
Date.now = () => {
  let shift = 0;
  try { shift = Number(readFileSync("${FOLDER}/shift-ms", "utf8")); } catch {}
  return now() + shift;
};
`;

async function clockJumps(stage: Stage): Promise<Ending> {
  const { server } = stage;
  await stage.restartAgent(() => install(server));
  try {
    const begun = await stage.at("on_trial", async () => shift(server, TEN_YEARS_MS));
    const ending = await stage.end(begun);
    await shift(server, -TEN_YEARS_MS);
    return ending;
  } finally {
    await stage.restartAgent(() => remove(server));
  }
}

async function shift(server: HouseServer, ms: number): Promise<void> {
  await server.machine.writeFile(`${FOLDER}/shift-ms`, String(Math.round(ms)));
}

async function install({ machine }: HouseServer): Promise<void> {
  await machine.writeFile(`${FOLDER}/shift.mjs`, SHIFT);
  for (const unit of UNITS) {
    const dropIn = `[Service]\nEnvironment=NODE_OPTIONS=--import=${FOLDER}/shift.mjs\n`;
    await machine.writeFile(`/etc/systemd/system/${unit}.service.d/crooked-clock.conf`, dropIn);
  }
  await machine.must(["systemctl", "daemon-reload"]);
}

async function remove({ machine }: HouseServer): Promise<void> {
  await machine.must([
    "rm",
    "-rf",
    FOLDER,
    ...UNITS.map((unit) => `/etc/systemd/system/${unit}.service.d/crooked-clock.conf`),
  ]);
  await machine.must(["systemctl", "daemon-reload"]);
}
