// Every operation of the OpenAPI document as every kind of principal: who is let in, and with what code he is refused.
import { deepEqual, equal } from "node:assert/strict";
import { after, test } from "node:test";
import { NEEDS } from "../access/roles.ts";
import { askMatrix, matrixFolders, OPERATIONS, SAMPLES } from "../access/testing/matrix.ts";
import { silent, startNode } from "./testing.ts";

const { folders, remove } = matrixFolders();
const node = await startNode({ config: { demo: true }, folders, logger: silent });
after(async () => {
  await node.close();
  remove();
});

/** Of the table; a new one makes the cells more. */
const PRINCIPALS = 20;

test("every operation has a row, and no row is without an operation", () => {
  deepEqual(Object.keys(SAMPLES).sort(), OPERATIONS.map(({ name }) => name).sort());
  equal(OPERATIONS.every(({ need }) => NEEDS.includes(need)), true);
});

test("every operation refuses and lets in whom it should, in every cell", async () => {
  const { cells, wrong } = await askMatrix({ urls: [node.url], project: node.project, keys: node.keys });
  deepEqual(wrong, []);
  equal(cells, OPERATIONS.reduce((sum, { name }) => sum + (SAMPLES[name]!.about?.length ?? 1), 0) * PRINCIPALS);
});
