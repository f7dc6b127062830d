import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseProperties, PropertyError, toConnection } from "./kafka-properties.ts";

test("a property's value may hold equal signs", () => {
  deepEqual(parseProperties(["a=b=c", " d = e "]), { a: "b=c", d: "e" });
  throws(() => parseProperties(["=x"]), PropertyError);
  throws(() => parseProperties(["x"]), PropertyError);
});

test("plain brokers need no property", () => {
  deepEqual(toConnection(["a:1"], {}), { brokers: ["a:1"] });
});

test("SASL over TLS, as a provider documents it", () => {
  const connection = toConnection(["a:1"], {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.jaas.config":
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="a\\"b\\\\c;d";',
    "ssl.truststore.type": "PEM",
    "ssl.truststore.certificates": "PEM",
  });
  deepEqual(connection.sasl, { mechanism: "SCRAM-SHA-512", username: "me", password: 'a"b\\c;d' });
  deepEqual(connection.tls, { ca: "PEM" });
});

test("what only one of the two clients would follow is refused", () => {
  for (const properties of [
    { "linger.ms": "5" },
    { "security.protocol": "TLS" },
    { "security.protocol": "SASL_SSL" },
    { "security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI" },
    { "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN" },
    { "security.protocol": "SSL", "ssl.truststore.location": "/some.jks", "ssl.truststore.type": "JKS" },
    { "security.protocol": "SSL", "ssl.truststore.location": "/no/such/file", "ssl.truststore.type": "PEM" },
  ]) {
    throws(() => toConnection(["a:1"], properties), PropertyError, JSON.stringify(properties));
  }
});
