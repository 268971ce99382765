/** Many agents without machines in one process of their own, so that the control plane has its process for itself. Ends with its input. */
import { answer, instructions, readCommands } from "@holdfast/testkit/servers/inside/command-lines.ts";
import { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { enrol } from "@holdfast/testkit/simulated-agent/enrolment.ts";

export interface SimulatedAgents {
  readonly port: number;
  readonly caCertificate: string;
  readonly servers: readonly { readonly id: string; readonly token: string }[];
}

const { port, caCertificate, servers } = instructions() as SimulatedAgents;
for (const { id, token } of servers) {
  const enrolled = await enrol({ port, caCertificate, token });
  const { certificate } = enrolled.answer;
  const identity = {
    serverId: id,
    tlsKey: enrolled.tlsKey,
    receiptKey: enrolled.receiptKey,
    certificate,
    caCertificate,
  };
  new SimulatedAgent({ port, identity }).start();
}
answer("ready");
readCommands(() => undefined);
