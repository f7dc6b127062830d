// The value of an event with its unit, the same wherever an event is listed.
import { formatMoney, formatNumber } from "./format.ts";

const UNITS: Readonly<Record<string, string>> = { dwell: "s", hover: "s" };

const PRICED: ReadonlySet<string> = new Set(["purchase", "add_to_cart", "remove_from_cart"]);

/** Money to the cent, a scroll's depth as per cent, seconds with their unit; anything else as a number. */
export function EventValue({ type, value }: { type: string; value: number }) {
  if (type === "scroll")
    return (
      <>
        {Math.round(value * 100)}
        <span class="unit unit-slot"> %</span>
      </>
    );
  return (
    <>
      {PRICED.has(type) ? formatMoney(value) : formatNumber(value)}
      <span class="unit unit-slot"> {UNITS[type] ?? ""}</span>
    </>
  );
}
