// An item's picture where it has one on this host, otherwise its first letter: other hosts are never asked.
import { useState } from "preact/hooks";
import type { Item } from "../api/types.ts";
import { initialOf } from "./format.ts";

export function ItemPicture({ id, item, size = 32 }: { id: string; item?: Item | undefined; size?: number }) {
  const [broken, setBroken] = useState(false);
  const address = item?.image_url;
  // The catalogue takes what no browser can read as an address, too: that is no picture, and no reason to show nothing.
  const own = address !== undefined && URL.parse(address, location.href)?.origin === location.origin;
  const box = { width: `${size}px`, height: `${size}px` };
  if (own && !broken)
    return <img class="picture" src={address} alt="" style={box} loading="lazy" onError={() => setBroken(true)} />;
  return (
    <span class="picture letter" style={box} aria-hidden="true">
      {initialOf(item?.title ?? id)}
    </span>
  );
}
