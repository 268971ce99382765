/** The control plane as a process. */
import { LINE_FORMAT, LOG_LINE } from "@holdfast/core/log/line.ts";
import pino from "pino";
import { readConfig } from "./config.ts";
import { startControlPlane } from "./control-plane.ts";

/** What an init system takes for "wrong configuration, do not start again" (sysexits.h, EX_CONFIG). */
const EXIT_CONFIG = 78;

await main();

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (!config.ok) {
    for (const problem of config.error) process.stderr.write(`holdfast: ${problem}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  const log = pino({
    ...LINE_FORMAT,
    level: config.value.logLevel,
    base: { [LOG_LINE.process]: "control", pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  // A signal during the start waits for its end: half a start cannot be undone in order.
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.resolve());

  const started = await startControlPlane(config.value, log);
  if (!started.ok) {
    log.fatal({ result_code: started.error.code }, started.error.message);
    process.exitCode = 1;
    return;
  }
  const controlPlane = started.value;
  const { url, login } = controlPlane;
  // Plain and apart from the log, and never again: this is the only time that the password exists outside of its hash.
  if (login !== null) process.stdout.write(`Login:    ${login.user} / ${login.password}\n`);
  process.stdout.write(`Console:  ${url}\n`);
  await stopped.promise;
  log.info({}, "stopping");
  await controlPlane.close();
}
