import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { mailText, type Notification } from "@holdfast/core/alert/notification.ts";
import { createTransport } from "nodemailer";
import { guardedLookup, whyAddressRefused } from "./address-guard.ts";
import type { Mailbox } from "./channels.ts";
import { ANSWER_WITHIN_MS, type Told } from "./post.ts";

/**
 * Hands one letter to the relay. The same letter has the same Message-ID at each try, and the letters of one alert are one thread. A relay
 * that takes it for some of the people has taken it: to try again for the others would tell the first ones for a whole day.
 */
export async function mail(
  channel: Mailbox,
  delivery: string,
  about: Notification,
  nowMs: number,
  stop: AbortSignal,
  withinMs: number = ANSWER_WITHIN_MS,
): Promise<Told> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(withinMs)]);
  const { subject, text } = mailText(about);
  const thread = `<${about.alert}.alert@${DOMAIN}>`;
  let socket: Socket | null = null;
  try {
    socket = await dial(channel, signal);
    const transport = createTransport(settingsOf(channel, socket, withinMs));
    const { accepted, rejected, response } = await transport.sendMail({
      from: { name: "Holdfast", address: channel.from },
      to: channel.to.map((address) => ({ name: "", address })),
      subject,
      text,
      date: new Date(nowMs),
      messageId: `<${delivery}@${DOMAIN}>`,
      references: [thread],
      inReplyTo: thread,
      // RFC 3834: nobody's holiday answers this.
      headers: { "Auto-Submitted": "auto-generated", "Holdfast-Delivery": delivery },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal,
    });
    const status = codeOf(response) ?? 250;
    if (rejected.length === 0) return { ok: true, status };
    const refused = `${rejected.length} of ${accepted.length + rejected.length} addresses were refused`;
    return { ok: true, status, but: refused };
  } catch (error) {
    if (signal.aborted) return { ok: false, status: null, error: "no answer in time" };
    return { ok: false, ...whyNot(error) };
  } finally {
    socket?.destroy();
  }
}

/** The right side of ids that nobody answers to. */
const DOMAIN = "holdfast.invalid";

/** Node tries every address of a name; what is refused there is refused at the moment of connecting. */
async function dial({ host, port }: Mailbox, signal: AbortSignal): Promise<Socket> {
  const refused = whyAddressRefused(host);
  if (refused !== null) throw new Error(refused);
  const socket = connect({ host, port, lookup: guardedLookup, signal });
  await once(socket, "connect", { signal });
  return socket;
}

function settingsOf({ host, port, tls, authority, login }: Mailbox, connection: Socket, withinMs: number) {
  return {
    connection,
    // The certificate must be this name's.
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    tls: { ...(authority === null ? {} : { ca: authority }), minVersion: "TLSv1.2" as const },
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: withinMs,
    greetingTimeout: withinMs,
    socketTimeout: withinMs,
  };
}

/** By the mailer's code. */
const REFUSED: Readonly<Record<string, string>> = {
  EAUTH: "it refused the login",
  ETLS: "it does not encrypt, which is asked of it (STARTTLS)",
};

/** What the relay said is kept as its code alone: its words may hold addresses. */
function whyNot(error: unknown): { readonly status: number | null; readonly error: string } {
  const { responseCode, code, message } = error as { responseCode?: number; code?: string; message?: string };
  if (responseCode !== undefined) return { status: responseCode, error: REFUSED[code ?? ""] ?? "it refused" };
  return { status: null, error: message ?? String(error) };
}

function codeOf(response: string): number | null {
  const code = /^\d{3}/.exec(response)?.[0];
  return code === undefined ? null : Number(code);
}
