import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { z } from "zod";
import { queries } from "../../api/queries.ts";
import type { Taken } from "../../editor/new-document.ts";
import type { MessageKey } from "../../i18n/language.ts";

export const TAKEN_TEXT = {
  exists: "wizard.taken",
  pending: "wizard.takenPending",
} as const satisfies Record<Taken, MessageKey>;

const factsSchema = z.object({ interfaces: z.array(z.object({ addresses: z.array(z.string()) })) });

/** By which a server was last seen to be reached, to choose from: none of its own inside. */
export function useAddressesOf(server: string): readonly string[] {
  const detail = useQuery({ ...queries.server(server), enabled: server !== "" });
  const facts = factsSchema.safeParse(detail.data?.facts);
  if (!facts.success) return [];
  return facts.data.interfaces
    .flatMap((one) => one.addresses)
    .map((address) => address.split("/")[0] ?? "")
    .filter((address) => !/^(127\.|::1$|fe80:)/.test(address));
}

interface InputProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly help?: string;
  readonly placeholder?: string;
  readonly list?: string;
}

/** A line of a wizard: what is asked, a field, and what helps to fill it in. */
export function Input({ label, value, onChange, help, placeholder, list }: InputProps): ReactNode {
  const id = useId();
  return (
    <div className="hf-form-line">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="hf-cell"
        value={value}
        placeholder={placeholder}
        list={list}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
      {help === undefined ? null : <span className="hf-quiet hf-small hf-form-help">{help}</span>}
    </div>
  );
}

/** The same of several lines, for what is pasted. */
export function Lines({ label, value, onChange, help, placeholder }: Omit<InputProps, "list">): ReactNode {
  const id = useId();
  return (
    <div className="hf-form-line">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="hf-cell"
        rows={4}
        value={value}
        placeholder={placeholder}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
      {help === undefined ? null : <span className="hf-quiet hf-small hf-form-help">{help}</span>}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly (readonly [string, string])[];
  readonly onChange: (value: string) => void;
  readonly help?: string;
}

export function Choice({ label, value, choices, onChange, help }: ChoiceProps): ReactNode {
  const id = useId();
  return (
    <div className="hf-form-line">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="hf-cell" value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      {help === undefined ? null : <span className="hf-quiet hf-small hf-form-help">{help}</span>}
    </div>
  );
}
