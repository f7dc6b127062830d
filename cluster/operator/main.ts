// The bundle's door for a host that has nothing but V8: strings and numbers in calls, bytes in two shared buffers.
import { createOperator } from "./operator.ts";

const operator = createOperator();
let input = new Uint8Array(0);
let output = new Uint8Array(0);
let result: Uint8Array = new Uint8Array(0);

/** The host's buffers from now on. It keeps them alive as long as they are attached. */
export function attach(inputBuffer: ArrayBuffer, outputBuffer: ArrayBuffer): void {
  input = new Uint8Array(inputBuffer);
  output = new Uint8Array(outputBuffer);
}

export function addProject(passOnAfterMs: number): void {
  operator.addProject({ passOnAfterMs });
}

export function addProgram(project: number, version: number, atMs: number, document: string): void {
  operator.addProgram(project, { version, atMs, document: JSON.parse(document) });
}

export function addErasure(project: number, key: string, atMs: number): void {
  operator.addErasure(project, key, atMs);
}

/** In ms; Infinity: for ever. */
export function setAges(project: number, profiles: number, visitors: number): void {
  operator.setAges(project, { profiles, visitors });
}

/**
 * Processes the first `length` bytes of the input. Returns how many bytes of the output are the answer; a negative number
 * is the size of an answer that does not fit: attach a larger output and call `take`.
 */
export function process(length: number): number {
  result = operator.process(input.subarray(0, length));
  return take();
}

export function take(): number {
  if (result.length > output.length) return -result.length;
  output.set(result);
  return result.length;
}
