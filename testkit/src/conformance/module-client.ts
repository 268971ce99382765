import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { CODE_HEADER } from "@holdfast/proto/wire/session.ts";

/** What a module answered: its message with the very bytes, or its refusal. */
export type Answer<Message> =
  | { readonly ok: true; readonly message: Message; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly status: keyof typeof status | "none"; readonly code: string; readonly text: string };

/** Milliseconds. A module that needs longer for the small configs of a case hangs. */
const CALL_TIMEOUT_MS = 30_000;

/**
 * A client of one ModuleService on a unix socket. It sends and takes bytes as they are, also such as no generated client would send, and
 * stands on another gRPC implementation than the agent does.
 */
export class ModuleClient {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
      "grpc.max_receive_message_length": -1,
      // Names of unix sockets are no host names.
      "grpc.default_authority": "module",
    });
  }

  async call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
  ): Promise<Answer<MessageShape<Output>>> {
    const answer = await this.send(method.name, toBinary(method.input, create(method.input, request)));
    return answer.ok ? { ...answer, message: fromBinary(method.output, answer.bytes) } : answer;
  }

  /** Any bytes to any method, by its name in the .proto file. */
  send(method: string, bytes: Uint8Array): Promise<Answer<null>> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        `/${ModuleService.typeName}/${method}`,
        (request: Uint8Array) => Buffer.from(request),
        (response: Buffer) => response,
        bytes,
        new Metadata(),
        { deadline: Date.now() + CALL_TIMEOUT_MS },
        (error, response) => {
          if (error === null) resolve({ ok: true, message: null, bytes: response ?? new Uint8Array() });
          else
            resolve({ ok: false, status: statusName(error.code), code: codeIn(error.metadata), text: error.details });
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

function codeIn(metadata: Metadata | undefined): string {
  const [value] = metadata?.get(CODE_HEADER) ?? [];
  return typeof value === "string" ? value : "";
}

function statusName(code: number): keyof typeof status | "none" {
  const numbers: Readonly<Record<string, string | number>> = status;
  const names = Object.keys(status) as (keyof typeof status)[];
  return names.find((name) => numbers[name] === code) ?? "none";
}
