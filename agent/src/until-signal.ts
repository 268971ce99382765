/** Resolves at the first of these signals. */
export function untilSignal(signals: readonly NodeJS.Signals[], stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of signals) process.off(signal, end);
      resolve();
    };
    for (const signal of signals) process.on(signal, end);
    stop.addEventListener("abort", end, { once: true });
  });
}
