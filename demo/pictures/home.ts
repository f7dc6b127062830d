// Chairs, lamps, kitchenware and plants. Every object stands on the floor line at y = 322 of a 400 × 400 sheet.
import { box, circle, faint, group, line, oval, path, times } from "./pen.ts";
import type { Drawing } from "./product.ts";

const legs = (pairs: readonly (readonly [number, number])[], top: number, colour: string, width = 11): string =>
  pairs.map(([x, foot]) => line(`M${x} ${top} L${foot} 316`, colour, width)).join("");

export const armchair: Drawing = (pen, look) => {
  const { main } = look;
  const style = pen.chance.between(0, 2);
  const back = [
    "M104 250V150Q104 96 160 96H240Q296 96 296 150V250Z",
    "M112 250V128Q112 104 138 104H262Q288 104 288 128V250Z",
    "M98 250V170C98 120 120 88 200 88S302 120 302 170V250Z",
  ][style]!;
  return (
    legs(
      [
        [122, 110],
        [278, 290],
        [160, 156],
        [240, 244],
      ],
      268,
      look.wood.base,
    ) +
    path(back, pen.shade(main.light, main.base)) +
    (style === 2 ? times(5, (i) => line(`M${136 + i * 32} 118V238`, main.dark, 2.5, 'opacity=".35"')) : "") +
    (style === 0 ? times(2, (i) => circle(165 + i * 70, 160, 4.5, main.dark)) : "") +
    box(116, 206, 168, 52, 20, pen.shade(main.light, main.base, 0.4)) +
    box(116, 244, 168, 38, 12, main.dark) +
    box(82, 182, 48, 104, 24, pen.shade(main.light, main.dark, 1)) +
    box(270, 182, 48, 104, 24, pen.shade(main.base, main.dark, 1)) +
    (pen.chance.happens(0.5)
      ? group(
          "rotate(-12 168 190)",
          box(142, 164, 60, 54, 14, pen.shade(look.second.light, look.second.base)) +
            line("M150 178H194M150 192H194M150 206H194", look.second.dark, 2, 'opacity=".4"'),
        )
      : "")
  );
};

export const diningChair: Drawing = (pen, look) => {
  const { wood, main } = look;
  const style = pen.chance.between(0, 2);
  const posts = line("M138 206L132 84M262 206L268 84", wood.base, 12);
  const backs = [
    box(128, 78, 144, 38, 18, pen.shade(wood.light, wood.base)) +
      times(5, (i) => line(`M${152 + i * 24} 116V206`, wood.dark, 6)),
    times(3, (i) => box(130, 84 + i * 38, 140, 22, 11, pen.shade(wood.light, wood.base))),
    path("M122 96Q200 58 278 96V150Q200 176 122 150Z", pen.shade(main.light, main.base)) +
      line("M140 106Q200 80 260 106", main.light, 4),
  ];
  return (
    line("M150 220L146 300M250 220L254 300", wood.deep, 9) +
    posts +
    backs[style]! +
    path(
      "M122 204Q200 190 278 204L292 226Q200 240 108 226Z",
      pen.shade(style === 1 ? wood.light : main.light, style === 1 ? wood.base : main.base),
    ) +
    path("M108 226Q200 240 292 226V238Q200 252 108 238Z", style === 1 ? wood.dark : main.dark) +
    line("M120 240L108 316M280 240L292 316", wood.base, 12) +
    line("M116 280H284", wood.dark, 6)
  );
};

export const stool: Drawing = (pen, look) => {
  const { wood, main } = look;
  const tall = pen.chance.happens(0.5);
  const top = tall ? 132 : 180;
  return (
    line(`M200 ${top}L204 300`, wood.deep, 10) +
    line(`M150 ${top}L124 316M250 ${top}L276 316`, wood.base, 12) +
    oval(200, tall ? 250 : 262, 62, 12, "none", `stroke="${look.metal.dark}" stroke-width="6"`) +
    path(
      `M116 ${top}V${top + 16}C116 ${top + 42} 284 ${top + 42} 284 ${top + 16}V${top}Z`,
      pen.shade(main.base, main.dark, 1),
    ) +
    oval(200, top, 84, 24, pen.shade(main.light, main.base, 0.5)) +
    oval(190, top - 4, 52, 11, main.light, 'opacity=".55"')
  );
};

export const sofa: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    legs(
      [
        [78, 70],
        [322, 330],
      ],
      276,
      look.wood.base,
    ) +
    box(58, 130, 284, 130, 30, pen.shade(main.light, main.base)) +
    line("M200 140V206", main.dark, 3, 'opacity=".5"') +
    box(64, 206, 136, 46, 16, pen.shade(main.light, main.base)) +
    box(200, 206, 136, 46, 16, pen.shade(main.light, main.base)) +
    box(56, 244, 288, 40, 14, main.dark) +
    box(34, 176, 46, 108, 22, pen.shade(main.light, main.dark, 1)) +
    box(320, 176, 46, 108, 22, pen.shade(main.base, main.dark, 1)) +
    group("rotate(-10 110 184)", box(84, 160, 56, 52, 14, second.base)) +
    group("rotate(9 292 184)", box(262, 160, 56, 52, 14, pen.shade(second.light, second.base)))
  );
};

export const pendantLamp: Drawing = (pen, look) => {
  const { main } = look;
  const style = pen.chance.between(0, 3);
  const shades = [
    path("M96 236C96 160 146 132 200 132S304 160 304 236Z", pen.shade(main.light, main.base, 0.7)) +
      oval(200, 236, 104, 16, main.deep) +
      oval(200, 238, 84, 10, "#fff3cf"),
    path("M182 128H218L306 240H94Z", pen.shade(main.light, main.base, 0.7)) +
      oval(200, 240, 106, 15, main.deep) +
      oval(200, 242, 86, 9, "#fff3cf"),
    circle(200, 206, 78, pen.shade("#fffaf0", main.light)) +
      box(178, 118, 44, 20, 8, look.brass.base) +
      times(3, (i) => oval(200, 206, 78 - i * 26, 78, "none", `stroke="${main.base}" stroke-width="2" opacity=".5"`)),
    times(4, (i) =>
      path(
        `M${136 - i * 14} ${142 + i * 26}Q200 ${124 + i * 24} ${264 + i * 14} ${142 + i * 26}Q${250 + i * 14} ${176 + i * 26} 200 ${174 + i * 26}T${136 - i * 14} ${142 + i * 26}Z`,
        pen.shade(main.light, main.base, 0.5),
      ),
    ) + oval(200, 262, 60, 10, "#fff3cf"),
  ];
  return (
    oval(200, 300, 170, 110, pen.glow("#ffe3a0", 0.75)) +
    line("M200 0V134", look.coal.base, 4) +
    box(188, 112, 24, 26, 6, look.brass.base) +
    shades[style]!
  );
};

export const tableLamp: Drawing = (pen, look) => {
  const { main, second } = look;
  const mushroom = pen.chance.happens(0.5);
  const light = oval(200, 210, 170, 140, pen.glow("#ffe3a0", 0.6));
  if (mushroom) {
    return (
      light +
      path("M172 196H228L244 304Q244 318 228 318H172Q156 318 156 304Z", pen.shade(main.light, main.dark, 1)) +
      path(
        "M84 208C84 136 136 98 200 98S316 136 316 208Q316 218 304 218H96Q84 218 84 208Z",
        pen.shade(main.light, main.base, 0.8),
      ) +
      path(
        "M120 176C126 142 152 122 184 116",
        "none",
        `stroke="#fff" stroke-width="8" stroke-linecap="round" opacity=".4"`,
      )
    );
  }
  const bases = [
    path("M168 222C120 250 128 318 168 318H232C272 318 280 250 232 222Z", pen.shade(second.light, second.dark, 1)) +
      line("M140 276Q200 290 260 276", second.light, 4, 'opacity=".6"'),
    circle(200, 244, 26, pen.shade(second.light, second.dark, 1)) +
      circle(200, 286, 34, pen.shade(second.light, second.dark, 1)),
    box(190, 210, 20, 100, 6, look.brass.base) + oval(200, 314, 56, 11, look.brass.dark),
  ];
  return (
    light +
    pen.chance.pick(bases) +
    box(192, 194, 16, 34, 4, look.brass.base) +
    path("M146 92H254L300 206H100Z", pen.shade(main.light, main.base, 0.8)) +
    times(pen.chance.between(0, 1) * 6, (i) =>
      line(`M${154 + i * 18} 96L${116 + i * 33} 202`, main.dark, 2, 'opacity=".3"'),
    ) +
    oval(200, 206, 100, 9, "#fff0c4")
  );
};

export const floorLamp: Drawing = (pen, look) => {
  const { main, metal } = look;
  const arc = pen.chance.happens(0.5);
  if (arc) {
    return (
      oval(268, 220, 120, 120, pen.glow("#ffe3a0", 0.7)) +
      line("M116 314V140C116 60 250 44 268 118", metal.deep, 7) +
      oval(116, 316, 52, 11, metal.deep) +
      path("M208 178C208 138 238 116 268 116S328 138 328 178Z", pen.shade(main.light, main.base, 0.7)) +
      oval(268, 178, 60, 10, "#fff0c4")
    );
  }
  return (
    oval(200, 150, 150, 130, pen.glow("#ffe3a0", 0.65)) +
    line("M200 150L148 316M200 150L252 316M200 150V312", look.wood.base, 9) +
    circle(200, 172, 11, look.brass.base) +
    path("M154 52H246L276 152H124Z", pen.shade(main.light, main.base, 0.8)) +
    oval(200, 152, 76, 8, "#fff0c4")
  );
};

export const mug: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M112 150H262V276Q262 314 222 314H152Q112 314 112 276Z";
  const style = pen.chance.between(0, 4);
  const glaze = [
    path("M100 240Q140 222 187 240T280 236V330H100Z", second.base),
    times(4, (i) => box(100, 182 + i * 28, 180, 10, 0, second.base, 'opacity=".85"')),
    times(5, (row) => times(6, (i) => circle(118 + i * 28 + (row % 2) * 14, 176 + row * 28, 5, second.base))),
    path(
      "M100 206L124 182 148 206 172 182 196 206 220 182 244 206 268 182 280 206V240L268 216 244 240 220 216 196 240 172 216 148 240 124 216 100 240Z",
      second.base,
    ),
    circle(187, 232, 34, second.base) + path("M153 232a34 34 0 0 0 68 0Z", second.dark),
  ][style]!;
  return (
    line("M262 186C320 180 322 272 256 270", main.dark, 20) +
    line("M262 184C318 178 320 268 256 268", main.base, 14) +
    path(body, pen.shade(main.light, main.base, 1)) +
    pen.inside(
      body,
      glaze +
        box(228, 140, 40, 190, 0, main.deep, 'opacity=".12"') +
        box(124, 160, 12, 130, 6, "#fff", 'opacity=".35"'),
    ) +
    oval(187, 150, 75, 17, main.light) +
    oval(187, 152, 64, 12, "#6b4632") +
    oval(180, 150, 40, 5, "#8a6146") +
    faint(
      0.55,
      line("M160 122C148 104 172 96 160 74M196 118C184 98 210 88 196 62M230 122C220 106 240 98 230 82", "#fff", 6),
    )
  );
};

export const teapot: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M98 232C98 176 146 150 200 150S302 176 302 232C302 290 258 314 200 314S98 290 98 232Z";
  return (
    line("M120 190C110 84 290 84 280 190", look.wood.base, 12) +
    path("M286 226C322 220 326 180 352 164L364 182C346 208 336 268 284 270Z", pen.shade(main.base, main.dark)) +
    path(body, pen.shade(main.light, main.base, 0.8)) +
    pen.inside(
      body,
      pen.chance.happens(0.6)
        ? path("M80 250Q140 226 200 250T320 246V330H80Z", second.base, 'opacity=".9"')
        : times(7, (i) => line(`M${110 + i * 30} 150V320`, main.dark, 2, 'opacity=".3"')),
    ) +
    oval(200, 156, 58, 13, main.dark) +
    path("M146 152C150 128 176 120 200 120S250 128 254 152Z", pen.shade(main.light, main.base)) +
    circle(200, 112, 13, look.wood.base) +
    path(
      "M128 216C134 192 150 178 172 172",
      "none",
      'stroke="#fff" stroke-width="9" stroke-linecap="round" opacity=".4"',
    )
  );
};

export const bowl: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M76 214H324C324 270 280 314 232 314H168C120 314 76 270 76 214Z";
  const fruit = [
    [140, 190, "#e39a52"],
    [196, 176, "#d9604f"],
    [254, 188, "#d9b44a"],
    [170, 204, "#8aa863"],
    [226, 204, "#e0874f"],
  ] as const;
  return (
    (pen.chance.happens(0.6)
      ? fruit
          .map(
            ([x, y, colour]) =>
              circle(x, y, 34, pen.shade(colour, colour)) + oval(x - 10, y - 12, 9, 6, "#fff", 'opacity=".35"'),
          )
          .join("") + line("M196 144Q200 132 210 128", look.wood.dark, 5)
      : oval(200, 214, 124, 22, main.deep) +
        group("rotate(24 262 150)", box(256, 74, 11, 150, 5, look.wood.base) + oval(261, 74, 15, 22, look.wood.base))) +
    path(body, pen.shade(main.light, main.base, 0.9)) +
    pen.inside(
      body,
      pen.chance.pick([
        times(3, (i) => box(60, 236 + i * 22, 280, 7, 0, second.base, 'opacity=".8"')),
        path("M60 262Q120 244 180 262T300 262 360 262V330H60Z", second.base),
        times(14, (i) => line(`M${80 + i * 20} 210L${120 + i * 13} 320`, main.dark, 2, 'opacity=".25"')),
      ]),
    ) +
    box(150, 308, 100, 12, 6, main.dark) +
    oval(136, 246, 14, 30, "#fff", 'opacity=".22" transform="rotate(28 136 246)"')
  );
};

export const carafe: Drawing = (pen, look) => {
  const { main } = look;
  const body =
    "M168 92H232V132C232 160 286 196 286 258C286 300 262 318 232 318H168C138 318 114 300 114 258C114 196 168 160 168 132Z";
  return (
    path(body, "#ffffff", 'opacity=".55"') +
    pen.inside(
      body,
      path("M90 232Q150 222 200 232T310 228V330H90Z", pen.shade(main.light, main.base)) +
        box(132, 210, 12, 90, 6, "#fff", 'opacity=".6"'),
    ) +
    path(body, "none", `stroke="${main.dark}" stroke-width="4" opacity=".55"`) +
    box(158, 118, 84, 36, 10, pen.shade(look.wood.light, look.wood.base, 1)) +
    line("M158 136H242", look.wood.dark, 4) +
    path("M176 64H224L228 94H172Z", look.wood.dark)
  );
};

const pot = (pen: Parameters<Drawing>[0], look: Parameters<Drawing>[1], top = 236): string => {
  const { main, second } = look;
  const body = `M134 ${top}H266L252 304Q250 320 234 320H166Q150 320 148 304Z`;
  return (
    path(body, pen.shade(main.light, main.base, 1)) +
    pen.inside(
      body,
      pen.chance.pick([
        "",
        box(120, top + 44, 160, 50, 0, second.base),
        times(4, (i) => box(120, top + 26 + i * 16, 160, 5, 0, second.base, 'opacity=".7"')),
        times(6, (i) => circle(140 + i * 24, top + 52, 9, second.base)),
      ]),
    ) +
    box(126, top - 8, 148, 24, 8, pen.shade(main.light, main.dark, 1))
  );
};

export const monstera: Drawing = (pen, look) => {
  const leaf = look.leaf;
  const blade = (x: number, y: number, turn: number, size: number, colour: string): string =>
    group(
      `translate(${x} ${y}) rotate(${turn}) scale(${size})`,
      path(
        "M0 0C-46 -10 -66 -60 -40 -104C-28 -120 -10 -126 0 -112C10 -126 28 -120 40 -104C66 -60 46 -10 0 0Z",
        colour,
      ) +
        line("M0 0V-100", leaf.deep, 3, 'opacity=".5"') +
        times(3, (i) =>
          path(
            `M-58 ${-38 - i * 26}L-18 ${-34 - i * 26}L-58 ${-46 - i * 26}ZM58 ${-38 - i * 26}L18 ${-34 - i * 26}L58 ${-46 - i * 26}Z`,
            look.backdrop,
          ),
        ),
    );
  const swing = pen.chance.between(-8, 8);
  return (
    line("M200 240C196 200 150 180 130 150M200 240C204 190 250 170 272 140M200 240V120", leaf.deep, 6) +
    blade(136, 172, -52 + swing, 0.82, leaf.dark) +
    blade(268, 164, 48 + swing, 0.86, pen.shade(leaf.base, leaf.dark)) +
    blade(158, 132, -18 + swing, 0.78, pen.shade(leaf.light, leaf.base)) +
    blade(232, 128, 20 + swing, 0.78, pen.shade(leaf.light, leaf.base)) +
    blade(200, 206, swing, 0.74, pen.shade(leaf.light, leaf.dark)) +
    pot(pen, look)
  );
};

export const cactus: Drawing = (pen, look) => {
  const leaf = look.leaf;
  const arms = pen.chance.between(0, 2);
  return (
    (arms !== 1 ? line("M168 200H140Q118 200 118 178V156", leaf.dark, 34) : "") +
    (arms !== 0 ? line("M232 186H262Q282 186 282 164V132", leaf.dark, 34) : "") +
    box(160, 82, 80, 170, 40, pen.shade(leaf.light, leaf.dark, 1)) +
    times(4, (i) => line(`M${176 + i * 16} 98V236`, leaf.deep, 2, 'opacity=".45" stroke-dasharray="1 12"')) +
    times(2, (i) => line(`M${192 + i * 16} 92V240`, leaf.light, 2, 'opacity=".4"')) +
    (pen.chance.happens(0.6)
      ? times(5, (i) => oval(200, 76, 8, 18, look.second.base, `transform="rotate(${i * 36 - 72} 200 86)"`)) +
        circle(200, 84, 7, look.brass.light)
      : "") +
    pot(pen, look)
  );
};

export const palm: Drawing = (pen, look) => {
  const leaf = look.leaf;
  const count = pen.chance.between(9, 12);
  return (
    times(count, (i) => {
      const turn = -78 + (156 / (count - 1)) * i;
      return group(
        `rotate(${turn} 200 232)`,
        path(
          "M200 236C176 180 184 110 200 62C216 110 224 180 200 236Z",
          i % 2 ? leaf.base : pen.shade(leaf.light, leaf.dark),
        ) + line("M200 230V82", leaf.deep, 2, 'opacity=".35"'),
      );
    }) + pot(pen, look)
  );
};

export const rubberPlant: Drawing = (pen, look) => {
  const leaf = look.leaf;
  return (
    line("M200 240C198 190 204 130 200 70", look.wood.dark, 7) +
    times(9, (i) => {
      const y = 216 - i * 18;
      const turn = i % 2 ? 58 - i * 4 : -58 + i * 4;
      return group(
        `translate(200 ${y}) rotate(${turn})`,
        path("M0 0C-30 -22 -30 -70 0 -96C30 -70 30 -22 0 0Z", pen.shade(i % 3 ? leaf.base : leaf.light, leaf.dark)) +
          line("M0 -4V-84", leaf.light, 2.5, 'opacity=".6"'),
      );
    }) +
    pot(pen, look)
  );
};

export const snakePlant: Drawing = (pen, look) => {
  const leaf = look.leaf;
  return (
    times(7, (i) => {
      const lean = -24 + i * 8;
      const height = [120, 160, 138, 186, 150, 168, 116][i]!;
      return group(
        `translate(${164 + i * 12} 240) rotate(${lean})`,
        path(
          `M-15 0C-20 ${-height * 0.6} -8 ${-height} 0 ${-height - 10}C8 ${-height} 20 ${-height * 0.6} 15 0Z`,
          pen.shade(leaf.light, leaf.dark),
        ) +
          path(
            `M-15 0C-20 ${-height * 0.6} -8 ${-height} 0 ${-height - 10}C-4 ${-height} -14 ${-height * 0.6} -9 0Z`,
            look.brass.light,
            'opacity=".8"',
          ) +
          times(4, (k) => line(`M-9 ${-20 - k * (height / 5)}q9 -8 18 0`, leaf.deep, 3, 'opacity=".35"')),
      );
    }) + pot(pen, look)
  );
};
