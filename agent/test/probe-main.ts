import { create } from "@bufbuild/protobuf";
import { ProbeTargetSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { probe } from "../src/session/probe.ts";

/** One probe of full size to an address, from where this runs: its outcome as JSON. */
const [address = ""] = process.argv.slice(2);
const target = create(ProbeTargetSchema, { id: "size", protocol: "full_size", address, timeoutMs: 1_500 });
process.stdout.write(JSON.stringify(await probe(target)));
