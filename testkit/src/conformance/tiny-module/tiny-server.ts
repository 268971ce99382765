import { rmSync } from "node:fs";
import { create, fromBinary, toBinary, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { CODE_HEADER } from "@holdfast/proto/wire/session.ts";

type Methods = typeof ModuleService.method;

/** One function for each call of ModuleService. */
export type ModuleHandlers = {
  readonly [Name in keyof Methods]: (
    request: MessageShape<Methods[Name]["input"]>,
  ) => MessageInitShape<Methods[Name]["output"]> | Promise<MessageInitShape<Methods[Name]["output"]>>;
};

/** An expected no, with the stable code that callers decide by. */
export class Refusal extends Error {
  readonly status: status;
  readonly code: string;

  constructor(grpcStatus: status, code: string, message: string) {
    super(`${code}: ${message}`);
    this.status = grpcStatus;
    this.code = code;
  }
}

/** Bytes of one message, as the agent has it. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Serves ModuleService with grpc-js on a unix socket, in place of one that a killed module left. */
export async function serveModule(handlers: ModuleHandlers, socket: string): Promise<void> {
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(definition(), implementation(handlers));
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

/** Bytes in, bytes out: messages are read and written by the generated schemas, not by the server. */
function definition(): ServiceDefinition {
  const bytes = (value: Buffer): Buffer => value;
  return Object.fromEntries(
    ModuleService.methods.map(({ name, localName }) => [
      localName,
      {
        path: `/${ModuleService.typeName}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    ]),
  );
}

function implementation(handlers: ModuleHandlers): Readonly<Record<string, handleUnaryCall<Buffer, Buffer>>> {
  return Object.fromEntries(
    (Object.keys(ModuleService.method) as (keyof Methods)[]).map((name) => [
      name,
      (call, answer) => {
        void unary(handlers, name, call.request).then(
          (response) => answer(null, response),
          (error: unknown) => answer(asStatus(error)),
        );
      },
    ]),
  );
}

async function unary(handlers: ModuleHandlers, name: keyof Methods, bytes: Buffer): Promise<Buffer> {
  const { input, output } = ModuleService.method[name];
  // The handler belongs to the method by name; the compiler cannot follow a union of pairs.
  const handle = handlers[name] as (request: unknown) => unknown;
  const response = await handle(readMessage(() => fromBinary(input, bytes)));
  return Buffer.from(toBinary(output, create(output, response as MessageInitShape<typeof output>)));
}

function readMessage<Message>(read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    throw new Refusal(
      status.INVALID_ARGUMENT,
      "module.message_unreadable",
      error instanceof Error ? error.message : String(error),
    );
  }
}

function asStatus(error: unknown): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (!(error instanceof Refusal))
    return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error), metadata };
  metadata.set(CODE_HEADER, error.code);
  return { code: error.status, details: error.message, metadata };
}
