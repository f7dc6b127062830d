// Ways to write an address of one's own network, against real webhooks: none may reach a listener on loopback.
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { silent, startNode } from "../http/testing.ts";
import { isPublicAddress } from "./address-guard.ts";
import { createWebhookSender } from "./sender.ts";

/** Addresses of a network's inside: loopback, private, link-local, cloud metadata, carrier NAT, reserved. */
const INSIDE = [
  [127, 0, 0, 1],
  [127, 255, 255, 254],
  [0, 0, 0, 0],
  [10, 0, 0, 1],
  [10, 255, 255, 255],
  [172, 16, 0, 1],
  [172, 31, 255, 254],
  [192, 168, 0, 1],
  [192, 168, 255, 254],
  [169, 254, 169, 254],
  [169, 254, 170, 2],
  [100, 64, 0, 1],
  [100, 100, 100, 200],
  [192, 0, 0, 192],
  [198, 18, 0, 1],
  [224, 0, 0, 1],
  [240, 0, 0, 1],
  [255, 255, 255, 255],
] as const;

/** Spellings of one IPv4 address that some resolver or URL parser takes for it. */
function spellings([a, b, c, d]: readonly [number, number, number, number]): string[] {
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (n: number, width = 2) => n.toString(16).padStart(width, "0");
  const octal = (n: number) => `0${n.toString(8)}`;
  const dotted = `${a}.${b}.${c}.${d}`;
  const high = hex(a * 256 + b, 4);
  const low = hex(c * 256 + d, 4);
  return [
    dotted,
    String(whole),
    `0x${hex(whole, 8)}`,
    octal(whole),
    [a, b, c, d].map((n) => `0x${hex(n)}`).join("."),
    [a, b, c, d].map(octal).join("."),
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `0x${hex(a)}.${(b * 256 + c) * 256 + d}`,
    `${octal(a)}.${b}.0x${hex(c)}.${d}`,
    `${dotted}.`,
    `${a}%2e${b}%2e${c}%2e${d}`,
    `${a}。${b}。${c}。${d}`,
    [...dotted].map((sign) => (sign === "." ? sign : String.fromCodePoint(0xff10 + Number(sign)))).join(""),
    `[::ffff:${dotted}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::${dotted}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b::${high}:${low}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::]`,
    `[2001:0:${high}:${low}::1]`,
    `user:${dotted}@${dotted}`,
    `public.example@${dotted}`,
    `${dotted}#@public.example`,
    `${dotted}\\@public.example`,
  ];
}
const AT_A_TIME = 40;
const NAMES = ["localhost", "LOCALHOST", "localhost.", "sub.localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[fec0::1]"];
const CORPUS = [...INSIDE.flatMap(spellings), ...NAMES];

test("500 spellings of inside addresses: no connection, and each delivery is a dead letter", async (t) => {
  ok(CORPUS.length >= 500, `${CORPUS.length}`);
  const node = await startNode();
  t.after(() => node.close());
  let connections = 0;
  const inside = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, "::");
  t.after(() => inside.close());
  await once(inside, "listening");
  const { port } = inside.address() as AddressInfo;
  /** How many deliveries were made; those that wait at a time are few, so that none is dropped. */
  const deliver = async (hosts: readonly string[], allowPrivate: boolean): Promise<number> => {
    const config = { secret: "s", allowPrivate, backoffMs: 1, attemptsMax: 1 };
    const sender = createWebhookSender({ config, logger: silent, seed: 1, now: Date.now });
    for (const [index, host] of hosts.entries()) {
      const url = /[#\\]/.test(host) ? `http://${host}` : `http://${host}:${port}/hook`;
      const trigger = { name: "x", atMs: 1, push: false };
      sender.fire(node.project, { trigger, url, ref: { user_id: "a" }, eventId: "e" });
      if (index % AT_A_TIME !== AT_A_TIME - 1 && index < hosts.length - 1) continue;
      while (sender.stats().queued > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const { delivered } = sender.stats();
    await sender.close();
    return delivered;
  };
  deepEqual([await deliver(CORPUS, false), connections], [0, 0]);
  // The rig can fail: allowed to, the same spellings of loopback do connect.
  await deliver(spellings([127, 0, 0, 1]), true);
  ok(connections >= 10, `${connections} connections of the control`);
});

test("addresses inside are told from those of the open internet", () => {
  for (const [a, b, c, d] of INSIDE) equal(isPublicAddress(`${a}.${b}.${c}.${d}`), false);
  for (const address of ["::7f00:1", "::a00:1", "::2", "4000::1"]) equal(isPublicAddress(address), false, address);
  for (const address of ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111"]) equal(isPublicAddress(address), true);
});
