import { readFileSync } from "node:fs";
import { type DescMethod, type DescMethodUnary, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { connectUnix } from "../src/os/sockets.ts";
import { clientOver, type ConnectionClient } from "../src/rpc/http2-transport.ts";
import { reopening } from "../src/rpc/reopening.ts";

/** One call to the guard of the server on which this runs: the method by argument, the request from standard input, the answer to standard output, in base64. */

const [name = ""] = process.argv.slice(2);
const isAsked = (method: DescMethod): method is DescMethodUnary =>
  method.methodKind === "unary" && method.localName === name;
const method = GuardService.methods.find(isAsked);
if (method === undefined) throw new Error(`the guard has no call ${name} with one answer`);
const connected = async (): Promise<ConnectionClient> => {
  const socket = await connectUnix("/run/holdfast/guard.sock");
  if (socket === null) throw new Error("nobody listens at the guard's socket");
  return clientOver(socket);
};
const request = fromBinary(method.input, Buffer.from(readFileSync(0, "utf8"), "base64"));
const { message } = await reopening(connected).unary(method, undefined, undefined, undefined, request);
process.stdout.write(Buffer.from(toBinary(method.output, message)).toString("base64"), () => process.exit());
