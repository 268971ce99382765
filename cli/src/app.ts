import { type Application, type ApplicationText, buildApplication, buildRouteMap } from "@stricli/core";
import { CliError } from "./cli-error.ts";
import { alertRoutes } from "./command/alert.ts";
import { applyCommand } from "./command/apply.ts";
import { changeRoutes } from "./command/change.ts";
import { commandKeyRoutes } from "./command/command-key.ts";
import { demoRoutes } from "./command/demo.ts";
import { loginCommand, logoutCommand } from "./command/login.ts";
import { meRoutes } from "./command/me.ts";
import { objectiveRoutes } from "./command/objective.ts";
import { packetsCommand } from "./command/packets.ts";
import { planCommand } from "./command/plan.ts";
import { policyRoutes } from "./command/policy.ts";
import { auditRoutes, doctorCommand } from "./command/proof.ts";
import { rolloutRoutes } from "./command/rollout.ts";
import { secretRoutes } from "./command/secret.ts";
import { serverRoutes } from "./command/server.ts";
import { supportRoutes } from "./command/support.ts";
import { tokenRoutes } from "./command/token.ts";
import { toolRoutes } from "./command/tool.ts";
import { tunnelRoutes } from "./command/tunnel.ts";
import { serviceRoutes } from "./command/user-sign-in.ts";
import { roleRoutes, userRoutes } from "./command/user.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

const routes = buildRouteMap({
  routes: {
    apply: applyCommand,
    plan: planCommand,
    server: serverRoutes,
    packets: packetsCommand,
    tool: toolRoutes,
    policy: policyRoutes,
    tunnel: tunnelRoutes,
    secret: secretRoutes,
    change: changeRoutes,
    rollout: rolloutRoutes,
    alert: alertRoutes,
    objective: objectiveRoutes,
    audit: auditRoutes,
    token: tokenRoutes,
    user: userRoutes,
    role: roleRoutes,
    service: serviceRoutes,
    me: meRoutes,
    "command-key": commandKeyRoutes,
    doctor: doctorCommand,
    support: supportRoutes,
    login: loginCommand,
    logout: logoutCommand,
    demo: demoRoutes,
  },
  docs: {
    brief: "Change Linux servers so that no wrong press of a button can lock you out",
    fullDescription:
      "Daily work is one command: holdfast apply -f FILE\n\n" +
      "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 undone or not confirmed, 4 unreachable.\n" +
      "HOLDFAST_URL and HOLDFAST_TOKEN, or `holdfast login`, say where and who.",
  },
});

/** `text` says what is printed when a command fails: words and a remedy, never a stack. */
export function buildHoldfast(text: ApplicationText): Application<Context> {
  return buildApplication(routes, {
    name: "holdfast",
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { useAliasInUsageLine: true, onlyRequiredInUsageLine: true, caseStyle: "convert-camel-to-kebab" },
    localization: { text },
    determineExitCode: (thrown) => (thrown instanceof CliError ? thrown.exitCode : EXIT.refused),
  });
}
