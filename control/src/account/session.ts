/** How long a session of a person lives, whatever they do. A working day, so that a forgotten one is gone by tomorrow. */
export const SESSION_ABSOLUTE_MS = 12 * 3_600_000;
/** Without a request for so long a session is over: somebody has left. Shorter would interrupt reading a long plan. */
export const SESSION_IDLE_MS = 60 * 60_000;
