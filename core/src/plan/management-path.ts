/**
 * How this server is reached by those who must be able to mend it. Two sources, united: the floor of the policy language, and the guard's
 * own file on the server, written at enrolment, which no control plane can weaken.
 */
export interface ManagementPath {
  /** Where the agent dials: literal addresses and port. Outbound to these is never closed. */
  readonly controlPlane: readonly { readonly address: string; readonly port: number }[];
  /** Who may come in, to which TCP ports: networks in CIDR form. */
  readonly inbound: readonly { readonly networks: readonly string[]; readonly tcpPorts: readonly number[] }[];
}
