// grpc.health.v1.Health/Check, which load balancers ask.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
import { Metadata, status, type MethodDefinition, type handleUnaryCall } from "@grpc/grpc-js";
import { Reader } from "protobufjs";

const SERVING = 1;
const NOT_SERVING = 2;
/** Field 1, both of the request (`service`, a string) and of the answer (`status`, an enum). */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;

const same = (bytes: Buffer): Buffer => bytes;

export const healthDefinition: Record<string, MethodDefinition<Buffer, Buffer>> = {
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};

/** Answers for the server as a whole (an empty name) and for each of `services`; NOT_FOUND for another. */
export function healthCheck(services: ReadonlySet<string>, isReady: () => boolean): handleUnaryCall<Buffer, Buffer> {
  return ({ request }, callback) => {
    const name = nameOf(request);
    if (name === "" || services.has(name)) {
      return callback(null, Buffer.from([STATUS_TAG, isReady() ? SERVING : NOT_SERVING]));
    }
    callback({ code: status.NOT_FOUND, details: "There is no such service.", metadata: new Metadata() });
  };
}

/** What is no request asks for nobody that is there. */
function nameOf(bytes: Buffer): string {
  try {
    const reader = Reader.create(bytes);
    let name = "";
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === SERVICE_TAG) name = reader.string();
      else reader.skipType(tag & 7);
    }
    return name;
  } catch {
    return "?"; // no message at all
  }
}
