import type { FastifyReply } from "fastify";

/** The head of a stream of events, with what Fastify's hooks have set: the reply is hijacked, so nobody else sends that. */
export function beginStream(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
}
