/**
 * The session as a program of its own, as its unit starts it: the only process that stays, on every server, for as long as the server lives. It
 * needs neither domains nor ledger, so it does not load them.
 */
import { complain } from "./cli/print.ts";
import { EXIT } from "./exit-code.ts";
import { openBasis } from "./role-basis.ts";
import { runSession } from "./session/session-role.ts";

const basis = openBasis("/", "session", false);
if (basis.ok) process.exitCode = await runSession(basis.value, null);
else {
  complain(basis.error);
  process.exitCode = EXIT.failed;
}
