import helmet from "@fastify/helmet";
import type { FastifyInstance } from "fastify";

/** Two years, as browsers' preload lists ask. */
const HSTS_SECONDS = 63_072_000;

/** Nothing inline, nothing from elsewhere, never in a frame. Styles that scripts set on elements are not touched by this. */
export async function securityHeaders(app: FastifyInstance, publicUrl: URL): Promise<void> {
  const isSecure = publicUrl.protocol === "https:";
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        formAction: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: isSecure ? { maxAge: HSTS_SECONDS, includeSubDomains: true } : false,
    referrerPolicy: { policy: "no-referrer" },
    xFrameOptions: { action: "deny" },
    crossOriginOpenerPolicy: isSecure ? { policy: "same-origin" } : false,
    crossOriginResourcePolicy: { policy: "same-origin" },
  });
}
