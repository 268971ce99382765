import { readFileSync } from "node:fs";

/** The documents of the demo, as its operator wrote them. */
export function demoDocument(name: string): string {
  return readFileSync(new URL(`./documents/${name}.yaml`, import.meta.url), "utf8");
}

export interface Act {
  readonly title: string;
  readonly story: string;
  readonly text: string;
  readonly killControlPlane: boolean;
}

/** The two mistakes of the first five minutes, made from the document that is in force. */
export function acts(): readonly Act[] {
  const inForce = demoDocument("web-host");
  return [
    {
      title: "The rule that the visitor needs is deleted",
      story:
        "Somebody tidies up the policy of web-1 and removes the rule `web`. Holdfast says what it would break; it is applied all the same.",
      text: withoutRule(inForce, "web"),
      killControlPlane: false,
    },
    {
      title: "Everything is dropped, and the control plane dies",
      story:
        "Now every rule is gone, and while that is on trial the control plane is killed. Nobody is left to mend it but the server itself.",
      text: withoutRule(withoutRule(withoutRule(inForce, "web"), "ssh"), "ping").replace(
        "    rules:\n",
        "    rules: []\n",
      ),
      killControlPlane: true,
    },
  ];
}

/** The document without one rule of its inbound section: from `- name: NAME` to the next item or section. */
function withoutRule(text: string, name: string): string {
  const without = text.replace(new RegExp(`^      - name: ${name}\\n(?:        .*\\n)*`, "m"), "");
  if (without === text) throw new Error(`the demo's policy has no rule "${name}" to remove`);
  return without;
}
