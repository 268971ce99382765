import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { toolAskSchema } from "@holdfast/core/api/tool.ts";
import { ANY_INTERFACE, BOUNDS, CAPTURE_PROTOCOLS, type Tool, TOOLS } from "@holdfast/core/tool/tool.ts";
import { Button, Form, FormGroup, FormSelect, FormSelectOption, TextInput } from "@patternfly/react-core";
import { type FormEvent, type ReactNode, useState } from "react";
import { z } from "zod";
import type { ToolForm } from "../../api/use-tool.ts";
import { useSearchChoice, useSearchState } from "../../app/search-state.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";

const TOOL_TEXT = {
  ping: "tools.tool.ping",
  trace: "tools.tool.trace",
  resolve: "tools.tool.resolve",
  capture: "tools.tool.capture",
} as const satisfies Record<Tool, MessageKey>;

const FAMILIES = { "": "tools.family.any", "4": "tools.family.4", "6": "tools.family.6" } as const satisfies Record<
  string,
  MessageKey
>;

interface Props {
  readonly server: ServerDetail;
  readonly isRunning: boolean;
  /** Why this tool cannot be used here, in words; null when it can. */
  readonly whyNot: (tool: Tool) => string | null;
  readonly onRun: (form: ToolForm) => void;
  readonly onStop: () => void;
}

/** What is typed, as text: the API says the last word about it. */
interface Fields {
  readonly family: keyof typeof FAMILIES;
  readonly count: string;
  readonly hops: string;
  readonly packets: string;
  readonly seconds: string;
  readonly interface: string;
  readonly address: string;
  readonly port: string;
  readonly protocol: (typeof CAPTURE_PROTOCOLS)[number] | "";
}

const USUAL: Fields = {
  family: "",
  count: String(BOUNDS.pings.usual),
  hops: String(BOUNDS.hops.usual),
  packets: String(BOUNDS.packets.usual),
  seconds: String(BOUNDS.seconds.usual),
  interface: ANY_INTERFACE,
  address: "",
  port: "",
  protocol: "",
};

/** One tool and its fields. The tool and the host stand in the address, so that a colleague can be sent there. */
export function ToolFields({ server, isRunning, whyNot, onRun, onStop }: Props): ReactNode {
  const t = useT();
  const [tool, setTool] = useSearchChoice("tool", TOOLS);
  const [host, setHost] = useSearchState("q");
  const [fields, setFields] = useState(USUAL);
  const set = (part: Partial<Fields>): void => setFields((before) => ({ ...before, ...part }));
  const wrong = whyNot(tool) ?? (tool !== "capture" && host === "" ? t("tools.noHost") : mistakeIn(tool, host, fields));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (wrong === null && !isRunning) onRun(formOf(tool, host, fields));
  };
  return (
    <Form className="hf-tool-form" onSubmit={submit}>
      <FormGroup label={t("tools.tool")} fieldId="tool">
        <FormSelect id="tool" value={tool} isDisabled={isRunning} onChange={(_event, value) => setTool(value as Tool)}>
          {TOOLS.map((one) => (
            <FormSelectOption key={one} value={one} label={t(TOOL_TEXT[one])} />
          ))}
        </FormSelect>
      </FormGroup>
      {tool === "capture" ? (
        <CaptureFields server={server} fields={fields} set={set} />
      ) : (
        <>
          <FormGroup label={t("tools.host")} fieldId="tool-host">
            <TextInput id="tool-host" value={host} onChange={(_event, value) => setHost(value.trim())} />
          </FormGroup>
          <FormGroup label={t("tools.family")} fieldId="tool-family">
            <FormSelect
              id="tool-family"
              value={fields.family}
              onChange={(_event, value) => set({ family: value as Fields["family"] })}
            >
              {Object.entries(FAMILIES).map(([value, text]) => (
                <FormSelectOption key={value} value={value} label={t(text)} />
              ))}
            </FormSelect>
          </FormGroup>
        </>
      )}
      {tool === "ping" ? (
        <Count
          id="count"
          text="tools.count"
          value={fields.count}
          most={BOUNDS.pings.most}
          set={(count) => set({ count })}
        />
      ) : null}
      {tool === "trace" ? (
        <Count id="hops" text="tools.hops" value={fields.hops} most={BOUNDS.hops.most} set={(hops) => set({ hops })} />
      ) : null}
      <div className="hf-actions">
        {isRunning ? (
          <Button variant="secondary" onClick={onStop}>
            {t("tools.stop")}
          </Button>
        ) : (
          <ReasonButton variant="primary" type="submit" reason={wrong}>
            {t("tools.run")}
          </ReasonButton>
        )}
      </div>
    </Form>
  );
}

function CaptureFields({
  server,
  fields,
  set,
}: {
  readonly server: ServerDetail;
  readonly fields: Fields;
  readonly set: (part: Partial<Fields>) => void;
}): ReactNode {
  const t = useT();
  return (
    <>
      <FormGroup label={t("tools.interface")} fieldId="tool-interface">
        <TextInput
          id="tool-interface"
          list="tool-interfaces"
          value={fields.interface}
          onChange={(_event, value) => set({ interface: value.trim() })}
        />
        <datalist id="tool-interfaces">
          {[ANY_INTERFACE, ...interfacesOf(server)].map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </FormGroup>
      <FormGroup label={t("tools.protocol")} fieldId="tool-protocol">
        <FormSelect
          id="tool-protocol"
          value={fields.protocol}
          onChange={(_event, value) => set({ protocol: value as Fields["protocol"] })}
        >
          <FormSelectOption value="" label={t("tools.anything")} />
          {CAPTURE_PROTOCOLS.map((one) => (
            <FormSelectOption key={one} value={one} label={one} />
          ))}
        </FormSelect>
      </FormGroup>
      <FormGroup label={t("tools.address")} fieldId="tool-address">
        <TextInput
          id="tool-address"
          value={fields.address}
          onChange={(_event, value) => set({ address: value.trim() })}
        />
      </FormGroup>
      <Count id="port" text="tools.port" value={fields.port} most={65_535} set={(port) => set({ port })} />
      <Count
        id="packets"
        text="tools.count"
        value={fields.packets}
        most={BOUNDS.packets.most}
        set={(packets) => set({ packets })}
      />
      <Count
        id="seconds"
        text="tools.seconds"
        value={fields.seconds}
        most={BOUNDS.seconds.most}
        set={(seconds) => set({ seconds })}
      />
    </>
  );
}

interface CountProps {
  readonly id: string;
  readonly text: MessageKey;
  readonly value: string;
  readonly most: number;
  readonly set: (value: string) => void;
}

function Count({ id, text, value, most, set }: CountProps): ReactNode {
  const t = useT();
  return (
    <FormGroup label={t(text)} fieldId={`tool-${id}`}>
      <TextInput
        id={`tool-${id}`}
        type="number"
        min={1}
        max={most}
        value={value}
        onChange={(_event, next) => set(next)}
      />
    </FormGroup>
  );
}

function formOf(tool: Tool, host: string, fields: Fields): ToolForm {
  const family = fields.family === "" ? {} : { family: fields.family === "4" ? (4 as const) : (6 as const) };
  switch (tool) {
    case "ping":
      return { tool, host, ...family, count: Number(fields.count) };
    case "trace":
      return { tool, host, ...family, hops: Number(fields.hops) };
    case "resolve":
      return { tool, host, ...family };
    case "capture":
      return {
        tool,
        interface: fields.interface,
        ...(fields.address === "" ? {} : { address: fields.address }),
        ...(fields.port === "" ? {} : { port: Number(fields.port) }),
        ...(fields.protocol === "" ? {} : { protocol: fields.protocol }),
        count: Number(fields.packets),
        seconds: Number(fields.seconds),
      };
  }
}

/** Why it would be refused, as the API would say it; null where nothing is seen to be wrong. */
function mistakeIn(tool: Tool, host: string, fields: Fields): string | null {
  const issue = toolAskSchema.safeParse(formOf(tool, host, fields)).error?.issues[0];
  if (issue === undefined) return null;
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

const factsSchema = z.object({ interfaces: z.array(z.object({ name: z.string() })) });

/** Those that the agent saw when it came; others may be typed. */
function interfacesOf({ facts }: ServerDetail): readonly string[] {
  return factsSchema.safeParse(facts).data?.interfaces.map(({ name }) => name) ?? [];
}
