/** A sleep that can be ended. A wake that comes while nobody sleeps is not lost: the next sleep does not begin. */
export class Wakeable {
  #wake: (() => void) | null = null;
  #isDue = false;

  /** True when woken, false when the time is over. */
  sleep(ms: number): Promise<boolean> {
    if (this.#isDue || ms <= 0) {
      const woken = this.#isDue;
      this.#isDue = false;
      return Promise.resolve(woken);
    }
    return new Promise((resolve) => {
      const settle = (woken: boolean): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve(woken);
      };
      const timer = setTimeout(() => settle(false), ms);
      this.#wake = () => settle(true);
    });
  }

  wake(): void {
    if (this.#wake === null) this.#isDue = true;
    else this.#wake();
  }
}
