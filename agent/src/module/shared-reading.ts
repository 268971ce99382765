/**
 * Questions that come while a reading is under way share the next one, so that many who look at once cost the server two readings and not one each.
 * Every answer is of a moment after its question: none is given what began before it asked.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    const reading = read();
    running = reading;
    const over = (): void => {
      if (running === reading) running = null;
    };
    reading.then(over, over);
    return reading;
  };
  return () => {
    if (running === null) return begin();
    const after = (): Promise<T> => {
      next = null;
      return begin();
    };
    next ??= running.then(after, after);
    return next;
  };
}
