/** A policy as long as the language is made for. */
export function largePolicy(rules: number): string {
  const lines = Array.from(
    { length: rules },
    (_, index) =>
      `      - name: rule-${index}\n        allow: tcp/${1024 + (index % 60_000)}\n        from: 10.${index >> 8}.${index & 255}.0/24\n`,
  );
  return `apiVersion: holdfast/v1\nkind: Policy\nname: large\nlayer: role\nselector: { role: web }\ndefine:\n  office: [203.0.113.0/26]\nfirewall:\n  inbound:\n    default: drop\n    rules:\n${lines.join("")}`;
}
