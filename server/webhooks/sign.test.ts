import { equal } from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "./address-guard.ts";
import { signature, verifySignature } from "./sign.ts";

test("a signature fits its body, secret and time alone", () => {
  const header = signature("s3cret", '{"a":1}', 1_000);
  equal(header, "t=1000,v1=" + header.slice(10));
  const received = { secret: "s3cret", body: '{"a":1}', nowS: 1_300, toleranceS: 300 };
  equal(verifySignature(header, received), true);
  equal(verifySignature(header, { ...received, nowS: 1_301 }), false);
  equal(verifySignature(header, { ...received, secret: "other" }), false);
  equal(verifySignature(header, { ...received, body: '{"a":2}' }), false);
  equal(verifySignature(header.replace("t=1000", "t=1001"), received), false);
  equal(verifySignature("v1=abc", received), false);
});

test("only addresses of the open internet are public", () => {
  for (const address of ["8.8.8.8", "2a00:1450:4001:81b::200e"]) equal(isPublicAddress(address), true, address);
  const inside = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "fd00::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
    "nonsense",
  ];
  for (const address of inside) equal(isPublicAddress(address), false, address);
});
