// What a script is called with.

/** The number, or the end of the process with 2 and a line that names the script and the argument. */
export function wholeNumber(argument: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return misuse(`${argument} is "${text}": a whole number`);
}

/** Ends the process: the script is called wrongly, and would do nothing that it is called for. */
export function misuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
