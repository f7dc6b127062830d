// An item's picture where it has one on this host, otherwise its first letter: other hosts are never asked.
import { useState } from "preact/hooks";
import type { Item } from "../api/types.ts";

export function ItemPicture({ id, item, size = 32 }: { id: string; item?: Item | undefined; size?: number }) {
  const [broken, setBroken] = useState(false);
  const address = item?.image_url;
  const own = address !== undefined && new URL(address, location.href).origin === location.origin;
  const box = { width: `${size}px`, height: `${size}px` };
  if (own && !broken)
    return <img class="picture" src={address} alt="" style={box} loading="lazy" onError={() => setBroken(true)} />;
  return (
    <span class="picture letter" style={box} aria-hidden="true">
      {(item?.title ?? id).slice(0, 1).toUpperCase()}
    </span>
  );
}
