import { usageError } from "./cli-error.ts";

/** Reads a flag that is a number: what is none must not become NaN on the way and be told as something else by the control plane. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,9}$/.test(text) || number < from || number > to)
      throw usageError(`${text} is no whole number from ${from} to ${to}`, "");
    return number;
  };
}
