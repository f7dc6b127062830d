// Audio, books, bikes and camping.
import { box, circle, faint, group, line, oval, path, ring, times } from "./pen.ts";
import type { Drawing } from "./product.ts";

export const headphones: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    line("M106 216C96 96 152 62 200 62S304 96 294 216", main.dark, 22) +
    line("M106 212C96 96 152 60 200 60S304 96 294 212", main.base, 14) +
    line("M132 132C146 88 172 76 200 76S254 88 268 132", second.base, 9) +
    box(84, 196, 22, 34, 6, look.metal.base) +
    box(294, 196, 22, 34, 6, look.metal.base) +
    box(118, 202, 34, 106, 17, second.dark) +
    box(248, 202, 34, 106, 17, second.dark) +
    box(76, 204, 56, 102, 28, pen.shade(main.light, main.base, 1)) +
    box(268, 204, 56, 102, 28, pen.shade(main.base, main.dark, 1)) +
    oval(98, 255, 12, 32, "none", `stroke="${main.dark}" stroke-width="3" opacity=".6"`) +
    circle(98, 255, 7, look.brass.base) +
    circle(302, 255, 7, look.brass.base)
  );
};

export const earbuds: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    box(104, 176, 192, 140, 54, pen.shade(main.light, main.base, 0.7)) +
    box(104, 176, 192, 62, 44, pen.shade(main.light, main.base)) +
    line("M106 238H294", main.dark, 4) +
    box(176, 232, 48, 14, 7, main.dark) +
    circle(200, 272, 5, look.brass.light) +
    group(
      "rotate(-16 150 110)",
      box(140, 104, 24, 66, 12, pen.shade(second.light, second.base)) +
        circle(152, 98, 30, pen.shade(second.light, second.base, 0.8)) +
        oval(140, 98, 10, 16, look.coal.base),
    ) +
    group(
      "rotate(16 250 110)",
      box(236, 104, 24, 66, 12, pen.shade(second.light, second.base)) +
        circle(248, 98, 30, pen.shade(second.light, second.base, 0.8)) +
        oval(260, 98, 10, 16, look.coal.base),
    )
  );
};

export const speaker: Drawing = (pen, look) => {
  const { main, second } = look;
  const style = pen.chance.between(0, 2);
  if (style === 0) {
    return (
      box(118, 78, 164, 240, 26, pen.shade(look.wood.light, look.wood.base, 0.8)) +
      box(132, 92, 136, 212, 16, main.dark) +
      circle(200, 236, 54, look.coal.base) +
      circle(200, 236, 44, pen.shade(main.light, main.base, 0.8)) +
      circle(200, 236, 17, look.coal.base) +
      circle(200, 140, 27, look.coal.base) +
      circle(200, 140, 15, look.brass.base)
    );
  }
  if (style === 1) {
    return (
      line("M130 150C130 96 270 96 270 150", look.wood.base, 11) +
      box(64, 146, 272, 172, 44, pen.shade(main.light, main.base, 0.8)) +
      box(82, 164, 236, 136, 30, second.dark) +
      times(6, (row) => times(11, (i) => circle(100 + i * 20, 182 + row * 20, 3.4, second.deep))) +
      box(168, 136, 64, 16, 8, look.brass.base)
    );
  }
  return (
    path("M120 120C120 88 280 88 280 120V286C280 328 120 328 120 286Z", pen.shade(main.light, main.dark, 1)) +
    times(9, (i) =>
      line(`M122 ${150 + i * 16}Q200 ${174 + i * 16} 278 ${150 + i * 16}`, main.deep, 2, 'opacity=".35"'),
    ) +
    oval(200, 120, 80, 23, main.deep) +
    oval(200, 118, 64, 16, look.coal.base) +
    oval(200, 117, 40, 9, "none", `stroke="${second.light}" stroke-width="5"`)
  );
};

export const turntable: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    box(62, 98, 276, 216, 20, pen.shade(main.light, main.base, 0.6)) +
    box(62, 290, 276, 26, 12, main.dark) +
    circle(172, 200, 88, look.metal.base) +
    circle(172, 200, 83, "#25262f") +
    times(4, (i) => ring(172, 200, 42 + i * 11, "#41434f", 1.5)) +
    path("M172 200L106 148A84 84 0 0 1 146 120Z", "#fff", 'opacity=".09"') +
    path("M172 200L238 252A84 84 0 0 1 198 280Z", "#fff", 'opacity=".09"') +
    circle(172, 200, 29, second.base) +
    circle(172, 200, 4, "#fff") +
    circle(298, 132, 21, look.metal.dark) +
    circle(298, 132, 11, look.metal.light) +
    line("M298 132V214L244 250", look.metal.light, 7) +
    group("rotate(-34 240 252)", box(226, 243, 28, 16, 4, look.coal.base)) +
    circle(300, 262, 13, look.brass.base) +
    box(282, 286, 36, 7, 3, main.deep)
  );
};

export const radio: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    line("M262 152L318 70", look.metal.dark, 5) +
    circle(318, 70, 6, look.metal.dark) +
    line("M112 152C112 116 230 116 230 152", look.wood.base, 11) +
    box(66, 148, 268, 168, 30, pen.shade(main.light, main.base, 0.8)) +
    box(84, 168, 136, 128, 18, second.base) +
    times(7, (i) => line(`M98 ${184 + i * 16}H206`, second.dark, 5)) +
    box(236, 172, 80, 40, 8, "#fbf5e4") +
    line("M246 192H306", look.coal.base, 2) +
    line("M276 178V206", look.clay.base, 3) +
    circle(256, 256, 19, look.brass.base) +
    circle(298, 256, 19, look.brass.base) +
    line("M256 256V242M298 256L308 246", look.coal.base, 4)
  );
};

export const book: Drawing = (pen, look) => {
  const { main, second, brass } = look;
  const cover = "M134 74H296Q304 74 304 82V306Q304 314 296 314H134Z";
  const art = [
    circle(220, 160, 52, second.base) +
      path("M120 250Q170 190 220 240T310 220V320H120Z", main.dark) +
      path("M120 280Q180 240 240 274T310 262V320H120Z", main.deep),
    times(5, (i) => ring(220, 190, 20 + i * 21, i % 2 ? second.base : brass.light, 8)),
    times(6, (i) =>
      path(
        `M${140 + (i % 2) * 82} ${92 + Math.floor(i / 2) * 68}h70v56h-70Z`,
        [second.base, brass.base, main.dark, second.light, main.light, second.dark][i]!,
      ),
    ),
    times(7, (i) => line(`M130 ${110 + i * 26}q22 -22 44 0t44 0 44 0 44 0`, i % 2 ? second.base : second.light, 8)),
    path("M220 110C180 150 172 210 220 262C268 210 260 150 220 110Z", second.base) +
      line("M220 130V290M220 180L248 158M220 210L192 186", main.deep, 5),
    circle(190, 170, 62, second.base, 'opacity=".9"') +
      circle(250, 196, 62, brass.base, 'opacity=".75"') +
      circle(206, 230, 62, main.dark, 'opacity=".6"'),
    path("M134 200L220 110 304 200V314H134Z", second.base) +
      path("M134 250L220 170 304 250V314H134Z", second.dark) +
      box(202, 250, 36, 64, 18, brass.light),
    oval(220, 226, 66, 30, second.light) +
      path("M160 214H280C280 262 250 276 220 276S160 262 160 214Z", second.base) +
      line("M200 190c-10 -16 10 -22 0 -40M236 190c-10 -16 10 -22 0 -40", brass.light, 6),
  ];
  return group(
    "rotate(-3 200 200)",
    path("M120 78L134 74V314L120 322Q104 320 104 306V94Q104 80 120 78Z", main.deep) +
      path("M126 320L296 314H304L306 322Q306 328 298 328H130Z", "#efe6d4") +
      path(cover, pen.shade(main.light, main.base, 0.7)) +
      pen.inside(cover, faint(1, pen.chance.pick(art))) +
      box(134, 74, 10, 240, 0, main.deep, 'opacity=".28"') +
      box(166, 88, 108, 9, 4, "#fff", 'opacity=".92"') +
      box(184, 103, 72, 6, 3, "#fff", 'opacity=".7"') +
      box(190, 292, 60, 6, 3, "#fff", 'opacity=".75"'),
  );
};

export const bookStack: Drawing = (pen, look) => {
  const colours = [look.main, look.second, look.brass, look.fjord];
  return (
    times(4, (i) => {
      const y = 284 - i * 44;
      const colour = colours[i]!;
      const x = 82 + pen.chance.between(-8, 14);
      return (
        box(x, y, 226, 36, 7, pen.shade(colour.light, colour.base, 0.6)) +
        box(x + 20, y + 5, 212, 26, 2, "#f4ecdc") +
        line(`M${x + 24} ${y + 13}H${x + 228}M${x + 24} ${y + 21}H${x + 228}`, "#d8ccb4", 2) +
        box(x, y, 34, 36, 7, colour.dark) +
        box(x + 8, y + 8, 18, 5, 2, "#fff", 'opacity=".8"')
      );
    }) +
    group(
      "translate(202 124)",
      path("M-42 -10H42V22Q42 36 28 36H-28Q-42 36 -42 22Z", look.snow.base) +
        line("M42 0C64 0 64 26 40 26", look.snow.dark, 8) +
        oval(0, -10, 42, 8, look.walnut.base),
    )
  );
};

const wheel = (x: number, look: Parameters<Drawing>[1], r = 66): string =>
  ring(x, 250, r, look.coal.base, 8) +
  ring(x, 250, r - 6, look.metal.light, 2.5) +
  times(9, (i) =>
    group(
      `rotate(${i * 20} ${x} 250)`,
      line(`M${x} ${250 - r + 7}V${250 + r - 7}`, look.metal.base, 1, 'opacity=".7"'),
    ),
  ) +
  circle(x, 250, 8, look.metal.deep);

export const cityBike: Drawing = (pen, look) => {
  const { main, wood } = look;
  const basket = pen.chance.happens(0.6);
  return (
    wheel(102, look) +
    wheel(298, look) +
    line("M32 234A74 74 0 0 1 150 194M246 196A74 74 0 0 1 366 226", main.dark, 6) +
    line("M102 250L152 164L186 250H102", main.dark, 7) +
    line("M186 250C220 236 256 200 264 152", main.base, 10) +
    line("M158 178C200 214 246 200 262 146", main.base, 10) +
    line("M298 250L262 138", main.base, 9) +
    line("M186 250L146 148", main.base, 9) +
    line("M262 138L256 106Q254 96 234 98L222 102", look.metal.dark, 7) +
    line("M224 102L206 108", wood.dark, 11) +
    path("M116 144Q146 128 176 142Q172 154 150 154T116 144Z", wood.dark) +
    circle(186, 250, 18, look.metal.dark) +
    circle(186, 250, 8, look.metal.light) +
    line("M186 250L200 284M190 286H212", look.coal.base, 6) +
    (basket
      ? path("M270 104H338L328 152H278Z", wood.light) +
        times(5, (i) => line(`M${280 + i * 12} 106L${284 + i * 9} 150`, wood.dark, 2)) +
        line("M268 104H340M274 128H334", wood.dark, 5)
      : circle(282, 126, 12, look.brass.base)) +
    line("M60 178H136M136 178L128 160", look.metal.dark, 5)
  );
};

export const roadBike: Drawing = (pen, look) => {
  const { main, second } = look;
  const gravel = pen.chance.happens(0.5);
  return (
    wheel(100, look, 68) +
    wheel(302, look, 68) +
    line("M100 250L150 150L262 142L188 250Z", main.base, 10) +
    line("M188 250L144 130", main.base, 9) +
    line("M100 250H188", main.dark, 7) +
    line("M302 250L260 128", second.base, 9) +
    line("M260 130L254 114H286Q304 118 300 140Q294 152 282 148", look.coal.base, 8) +
    path("M114 126Q150 114 174 128Q150 136 132 134Z", look.coal.base) +
    circle(188, 250, 21, "none", `stroke="${look.metal.dark}" stroke-width="6"`) +
    line("M188 250L176 286M168 288H190", look.coal.base, 6) +
    line("M100 244L188 232M100 258L188 270", look.metal.deep, 2.5) +
    (gravel
      ? path("M170 160H240L214 198H182Z", second.base) + line("M180 162L186 196M226 160L208 196", second.dark, 3)
      : line("M196 148L236 145", "#fff", 4, 'opacity=".8"')) +
    box(214, 196, 12, 40, 6, second.light, 'transform="rotate(34 220 216)"')
  );
};

export const helmet: Drawing = (pen, look) => {
  const { main, second } = look;
  const shell = "M72 246C66 150 130 94 212 94C290 94 336 150 336 226Q336 252 310 252H96Q74 260 72 246Z";
  return (
    line("M110 252C120 300 160 316 196 306L260 252", look.coal.base, 8) +
    box(182, 298, 28, 18, 6, look.coal.deep) +
    path(shell, pen.shade(main.light, main.base, 0.8)) +
    pen.inside(
      shell,
      times(4, (i) =>
        path(
          `M${118 + i * 52} 236C${108 + i * 50} 190 ${130 + i * 42} 142 ${172 + i * 30} 118L${184 + i * 30} 124C${150 + i * 44} 154 ${138 + i * 50} 196 ${142 + i * 52} 236Z`,
          main.deep,
          'opacity=".75"',
        ),
      ) + box(60, 232, 300, 26, 0, second.base),
    ) +
    path(
      "M110 160C128 128 160 110 192 106",
      "none",
      'stroke="#fff" stroke-width="8" stroke-linecap="round" opacity=".4"',
    )
  );
};

const hills = (look: Parameters<Drawing>[1]): string =>
  path("M0 300Q90 226 190 280T400 250V400H0Z", look.leaf.light, 'opacity=".45"') +
  path("M0 322Q120 286 240 312T400 296V400H0Z", look.leaf.base, 'opacity=".5"') +
  [
    [52, 286, 0.9],
    [346, 276, 1.1],
    [318, 290, 0.7],
  ]
    .map(([x, y, s]) =>
      group(
        `translate(${x} ${y}) scale(${s})`,
        path("M0 -74L22 -30H12L30 4H-30L-12 -30H-22Z", look.leaf.dark) + box(-4, 2, 8, 16, 2, look.walnut.base),
      ),
    )
    .join("");

export const tent: Drawing = (pen, look) => {
  const { main, second } = look;
  const dome = pen.chance.happens(0.5);
  if (dome) {
    const shell = "M62 318C66 206 128 130 200 130S334 206 338 318Z";
    return (
      hills(look) +
      path(shell, pen.shade(main.light, main.base, 0.8)) +
      pen.inside(
        shell,
        path("M252 120C300 190 312 260 306 330H350V120Z", main.dark, 'opacity=".6"') +
          path("M60 330C62 260 90 190 144 120H50V330Z", second.base),
      ) +
      line("M200 130C140 180 118 250 116 318M200 130C260 180 282 250 284 318", second.dark, 5) +
      path("M156 318C156 256 172 208 200 190C228 208 244 256 244 318Z", pen.shade("#ffe6a8", "#f0b765")) +
      path("M200 190C172 208 156 256 156 318L178 318C180 262 186 220 200 190Z", main.light) +
      line("M62 318L36 328M338 318L364 328", look.coal.base, 3)
    );
  }
  return (
    hills(look) +
    line("M206 110L198 96M194 110L202 96", look.wood.dark, 6) +
    path("M200 108L330 318H70Z", pen.shade(main.light, main.base, 0.8)) +
    path("M200 108L330 318H270Z", main.dark) +
    path("M200 108L96 276 116 318H70Z", second.base, 'opacity=".9"') +
    path("M200 150L246 318H154Z", pen.shade("#ffe6a8", "#f0b765")) +
    path("M200 150L154 318H172Q178 240 200 150Z", main.light) +
    path("M200 150L246 318H228Q222 240 200 150Z", main.base) +
    line("M70 318L44 328M330 318L356 328", look.coal.base, 3)
  );
};

export const lantern: Drawing = (pen, look) => {
  const { main } = look;
  return (
    oval(200, 212, 180, 180, pen.glow("#ffd98a", 0.85)) +
    line("M140 128C140 46 260 46 260 128", look.metal.dark, 7) +
    path("M152 100H248L264 134H136Z", pen.shade(main.light, main.base, 0.8)) +
    box(176, 84, 48, 20, 8, main.dark) +
    path("M148 134H252C270 180 270 220 252 262H148C130 220 130 180 148 134Z", pen.shade("#fff8e2", "#ffdf9a")) +
    path("M200 168C222 200 220 232 200 238C180 232 178 200 200 168Z", "#f2a541") +
    line("M166 136C152 180 152 220 166 260M234 136C248 180 248 220 234 260", look.metal.dark, 4) +
    box(132, 258, 136, 22, 8, main.base) +
    path("M142 280H258L272 318H128Z", pen.shade(main.base, main.dark, 0.8)) +
    circle(200, 298, 9, look.brass.base)
  );
};

export const thermos: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    box(258, 200, 56, 84, 12, "none", `stroke="${main.dark}" stroke-width="13"`) +
    box(144, 132, 112, 186, 24, pen.shade(main.light, main.base, 1)) +
    box(144, 132, 112, 26, 10, look.metal.base) +
    path("M156 62H244L250 132H150Z", pen.shade(second.light, second.base, 1)) +
    line("M154 96H246", second.dark, 4) +
    box(162, 172, 11, 116, 5, "#fff", 'opacity=".35"') +
    pen.chance.pick([
      path("M186 262L216 206 246 262Z", second.base),
      circle(216, 230, 24, second.base),
      times(3, (i) => box(144, 206 + i * 24, 112, 9, 0, second.base)),
    ]) +
    box(150, 298, 100, 20, 10, main.dark)
  );
};

export const campChair: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    hills(look) +
    line("M128 316L262 210M272 316L138 210", look.metal.deep, 8) +
    line("M118 110L132 230M282 110L268 230", look.metal.deep, 8) +
    path("M114 104Q200 124 286 104L276 206Q200 222 124 206Z", pen.shade(main.light, main.base)) +
    path("M118 132Q200 152 282 132L280 152Q200 172 120 152Z", second.base) +
    path("M118 210Q200 224 282 210L290 240Q200 262 110 240Z", pen.shade(main.base, main.dark)) +
    box(92, 178, 24, 74, 10, second.dark, 'transform="rotate(4 104 214)"') +
    box(284, 178, 24, 74, 10, second.dark, 'transform="rotate(-4 296 214)"')
  );
};
