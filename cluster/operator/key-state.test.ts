// Bytes once stored are for ever: states that earlier releases wrote come back, and are written the same.
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { viewOfPerson } from "../../core/profile/person.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { timelineOf } from "../../core/testing/programs.ts";
import { decodeKeyState, type KeyState, viewOfKeyState } from "./key-state.ts";

interface Kept {
  title: string;
  hex: string;
  sequence: number;
  signpost: string | null;
  links: number;
  early: string[];
  personVersion: number | null;
}

const kept = JSON.parse(readFileSync(new URL("testing/key-states.json", import.meta.url), "utf8")) as Kept[];

function describe({ sequence, signpost, links, early, person }: KeyState): Omit<Kept, "title" | "hex"> {
  return {
    sequence,
    signpost: signpost ?? null,
    links: links.length,
    early: early.map(({ anonKey }) => anonKey),
    personVersion: person?.version ?? null,
  };
}

for (const { title, hex, ...expected } of kept) {
  test(`a state of format 1: ${title}`, () => {
    const state = decodeKeyState(Buffer.from(hex, "hex"), timelineOf(shopProgram));
    deepEqual(describe(state), expected);
    const person = state.person === undefined ? undefined : viewOfPerson(state.person);
    equal(Buffer.from(viewOfKeyState(state, person)).toString("hex"), hex);
  });
}
