// Shoes, jackets, bags and watches.
import { box, circle, faint, group, line, oval, path, ring, times } from "./pen.ts";
import type { Drawing } from "./product.ts";

export const sneaker: Drawing = (pen, look) => {
  const { main, second } = look;
  const high = pen.chance.happens(0.35);
  const upper = high
    ? "M84 272C78 220 84 150 92 118Q96 104 112 106L164 112Q178 114 180 128C184 176 214 214 262 226C304 236 334 246 334 276Z"
    : "M78 272C72 238 78 208 88 186C96 174 110 178 120 190C132 204 148 204 160 184C168 172 180 168 190 178C208 206 234 222 266 230C306 240 336 248 336 276Z";
  const stripe = pen.chance.pick([
    path("M168 272C190 250 196 228 196 204L226 222C224 244 216 260 206 272Z", second.base),
    path("M120 272L176 206 194 222 150 272ZM166 272L206 228 224 240 196 272Z", second.base),
    path("M70 250C140 262 200 214 246 236C210 236 170 284 70 276Z", second.base),
    circle(138, 236, 20, second.base),
  ]);
  const laces = times(high ? 5 : 4, (i) =>
    line(high ? `M${166 + i * 15} ${142 + i * 20}l28 -10` : `M${178 + i * 17} ${194 + i * 10}l20 -16`, "#fff", 6),
  );
  return (
    path(upper, pen.shade(main.light, main.base, 0.6)) +
    pen.inside(
      upper,
      stripe +
        path("M284 220C270 244 272 266 280 290H350V220Z", main.dark, 'opacity=".55"') +
        path("M60 190C96 200 104 240 100 290H50Z", second.dark, 'opacity=".8"'),
    ) +
    (high ? line("M96 116L168 122", second.base, 10) : line("M92 184Q104 180 122 196", second.base, 8)) +
    laces +
    path("M72 268H338C348 284 344 308 322 310H98C74 310 66 288 72 268Z", pen.shade("#ffffff", "#e6e0d6")) +
    box(76, 296, 262, 14, 7, second.dark) +
    line("M84 282H330", main.base, 3, 'opacity=".45" stroke-dasharray="5 6"')
  );
};

export const boot: Drawing = (pen, look) => {
  const { main, second } = look;
  const upper =
    "M112 276C106 220 104 150 108 100Q110 86 124 86H200Q212 86 212 100C210 150 212 190 222 208C248 222 308 222 322 276Z";
  return (
    path(upper, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(
      upper,
      path("M266 210C252 232 252 262 262 290H340V210Z", main.dark, 'opacity=".7"') +
        path("M100 210C136 214 144 250 140 290H90Z", main.dark, 'opacity=".7"') +
        box(100, 84, 116, 22, 0, second.base),
    ) +
    times(6, (i) => line(`M178 ${124 + i * 17}L${214 + (i > 3 ? (i - 3) * 9 : 0)} ${120 + i * 17}`, second.light, 6)) +
    box(96, 70, 20, 34, 10, "none", `stroke="${second.dark}" stroke-width="6"`) +
    path("M102 270H324C336 282 334 300 326 300H188L178 312H112Q100 312 100 300Z", look.coal.base) +
    times(9, (i) => box(118 + i * 23, 300, 13, i < 3 ? 16 : 12, 3, look.coal.deep)) +
    line("M112 274H318", look.brass.base, 3, 'stroke-dasharray="6 5"')
  );
};

export const sandal: Drawing = (pen, look) => {
  const { main, second } = look;
  return (
    path(
      "M64 290C60 272 76 262 110 262C180 262 190 240 250 244C310 248 344 270 338 294Q334 312 300 312H90Q68 312 64 290Z",
      pen.shade(look.oak.light, look.oak.base),
    ) +
    box(66, 298, 272, 16, 8, look.coal.base) +
    line("M232 250C236 190 290 196 302 264", main.base, 34) +
    line("M150 264C154 190 214 196 224 254", main.dark, 30) +
    line("M232 236C240 206 276 206 290 246", main.light, 6, 'opacity=".7"') +
    box(172, 204, 26, 22, 5, "none", `stroke="${look.brass.base}" stroke-width="5"`) +
    line("M84 262C84 220 130 206 160 220", second.base, 16)
  );
};

const sleeves = (pen: Parameters<Drawing>[0], colour: { base: string; dark: string; light: string }): string =>
  path(
    "M142 118C102 126 92 160 84 214L70 288Q68 300 80 302L104 304Q114 304 116 294L140 196Z",
    pen.shade(colour.base, colour.dark),
  ) +
  path(
    "M258 118C298 126 308 160 316 214L330 288Q332 300 320 302L296 304Q286 304 284 294L260 196Z",
    pen.shade(colour.base, colour.dark),
  );

export const parka: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M138 116Q200 96 262 116L284 300Q284 316 268 316H132Q116 316 116 300Z";
  return (
    sleeves(pen, main) +
    path("M138 122C140 66 172 52 200 52S260 66 262 122Q230 146 200 146T138 122Z", pen.shade(main.light, main.base)) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    path("M156 114C160 82 180 72 200 72S240 82 244 114Q222 134 200 134T156 114Z", main.deep) +
    (pen.chance.happens(0.5)
      ? line("M148 118C148 72 174 60 200 60S252 72 252 118", "#e9dcc6", 15, 'stroke-dasharray="2 9"') +
        line("M148 118C148 72 174 60 200 60S252 72 252 118", "#f2e9d8", 11)
      : "") +
    line("M200 134V314", second.base, 5) +
    box(190, 134, 10, 180, 3, main.dark, 'opacity=".35"') +
    times(3, (i) => circle(212, 170 + i * 46, 5, look.brass.base)) +
    box(130, 228, 54, 52, 9, main.dark, 'opacity=".75"') +
    box(216, 228, 54, 52, 9, main.dark, 'opacity=".75"') +
    box(128, 222, 58, 17, 6, main.base) +
    box(214, 222, 58, 17, 6, main.base) +
    line("M122 206Q200 214 278 206", main.deep, 3, 'opacity=".5"')
  );
};

export const rainJacket: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M140 118Q200 100 260 118L276 300Q276 314 262 314H138Q124 314 124 300Z";
  return (
    sleeves(pen, main) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(
      body,
      path("M110 100H290V172Q200 196 110 172Z", second.base) + line("M110 174Q200 198 290 174", second.dark, 3),
    ) +
    path(
      "M146 120C146 70 172 58 200 58S254 70 254 120Q226 142 200 142T146 120Z",
      pen.shade(second.light, second.base),
    ) +
    path("M164 112C166 86 182 78 200 78S234 86 236 112Q218 128 200 128T164 112Z", second.deep) +
    line("M200 130V312", look.coal.base, 4) +
    line("M150 236L172 270M250 236L228 270", main.deep, 5) +
    line("M178 128V160M222 128V160", "#fff", 3.5) +
    box(84, 282, 28, 9, 4, second.base, 'transform="rotate(8 98 286)"') +
    box(288, 282, 28, 9, 4, second.base, 'transform="rotate(-8 302 286)"')
  );
};

export const jumper: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M140 112Q200 134 260 112L280 282Q280 290 272 290H128Q120 290 120 282Z";
  const knit = pen.chance.pick([
    times(
      13,
      (i) => path(`M${112 + i * 14} 168l7 -12 7 12 -7 12Z`, second.base) + circle(119 + i * 14, 196, 3.5, second.base),
    ) +
      box(100, 142, 200, 5, 0, second.base) +
      box(100, 206, 200, 5, 0, second.base),
    times(5, (i) => box(100, 138 + i * 32, 200, 15, 0, second.base)),
    times(5, (i) =>
      line(
        `M${140 + i * 30} 118c-9 10 9 18 0 28s9 18 0 28 9 18 0 28 9 18 0 28 9 18 0 28`,
        main.dark,
        5,
        'opacity=".5"',
      ),
    ),
    path("M100 190L200 150 300 190V230L200 190 100 230Z", second.base),
  ]);
  return (
    sleeves(pen, main) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(body, knit) +
    path("M158 108Q200 150 242 108L232 96Q200 116 168 96Z", main.dark) +
    box(124, 284, 152, 28, 10, main.dark) +
    times(12, (i) => line(`M${134 + i * 12} 288V308`, main.deep, 2, 'opacity=".5"')) +
    box(66, 280, 48, 26, 9, main.dark, 'transform="rotate(10 90 292)"') +
    box(286, 280, 48, 26, 9, main.dark, 'transform="rotate(-10 310 292)"')
  );
};

export const backpack: Drawing = (pen, look) => {
  const { main, second } = look;
  const roll = pen.chance.happens(0.5);
  const body = roll
    ? "M116 136Q116 112 140 112H260Q284 112 284 136V286Q284 318 252 318H148Q116 318 116 286Z"
    : "M112 178C112 110 148 84 200 84S288 110 288 178V284Q288 318 254 318H146Q112 318 112 284Z";
  return (
    line("M112 180C84 200 84 280 112 300M288 180C316 200 316 280 288 300", second.dark, 14) +
    line("M172 92C172 58 228 58 228 92", second.dark, 10) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(body, box(100, 300, 200, 24, 0, main.dark)) +
    (roll
      ? box(106, 92, 188, 40, 18, pen.shade(main.base, main.dark)) +
        line("M160 94V216M240 94V216", second.base, 11) +
        box(150, 190, 20, 26, 5, look.brass.base) +
        box(230, 190, 20, 26, 5, look.brass.base)
      : line("M136 170C140 130 164 112 200 112S260 130 264 170", main.dark, 5) +
        circle(264, 172, 6, look.brass.base) +
        box(172, 136, 56, 18, 6, second.base)) +
    box(138, 216, 124, 82, 18, pen.shade(second.light, second.base)) +
    line("M146 240H254", second.dark, 5) +
    box(228, 238, 8, 22, 4, look.brass.base) +
    path(
      "M126 196C124 160 134 130 152 116",
      "none",
      'stroke="#fff" stroke-width="7" opacity=".28" stroke-linecap="round"',
    )
  );
};

export const tote: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M104 160H296L310 304Q310 318 296 318H104Q90 318 90 304Z";
  const print = pen.chance.pick([
    circle(200, 240, 44, second.base) + path("M156 240a44 44 0 0 0 88 0Z", second.dark),
    times(4, (i) => line(`M130 ${206 + i * 26}q17 -18 35 0t35 0 35 0 35 0`, second.base, 7)),
    path("M140 284L190 206 222 250 240 228 272 284Z", second.base) + circle(250, 206, 13, look.brass.base),
    times(3, (i) =>
      oval(164 + i * 36, 240, 15, 44, second.base, `transform="rotate(${i * 20 - 20} ${164 + i * 36} 284)"`),
    ),
  ]);
  return (
    line("M150 170C146 70 184 62 190 62C210 62 240 70 244 170", main.deep, 10) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(body, print) +
    line("M158 172C154 90 186 76 200 76S246 90 242 172", second.dark, 12) +
    line("M108 174H292", main.dark, 3, 'stroke-dasharray="6 6"') +
    box(148, 160, 20, 28, 3, second.dark) +
    box(232, 160, 20, 28, 3, second.dark)
  );
};

export const weekender: Drawing = (pen, look) => {
  const { main, second } = look;
  const body = "M66 204Q66 170 104 170H296Q334 170 334 204L340 288Q340 318 306 318H94Q60 318 60 288Z";
  return (
    line("M140 180C136 96 264 96 260 180", second.base, 13) +
    path(body, pen.shade(main.light, main.base, 0.7)) +
    pen.inside(
      body,
      box(50, 290, 300, 30, 0, second.base) +
        box(120, 160, 26, 170, 0, second.base) +
        box(254, 160, 26, 170, 0, second.base),
    ) +
    line("M96 190H304", main.deep, 4) +
    circle(304, 190, 6, look.brass.base) +
    box(124, 224, 18, 22, 4, look.brass.base) +
    box(258, 224, 18, 22, 4, look.brass.base) +
    box(174, 226, 52, 32, 6, main.dark, 'opacity=".6"')
  );
};

const hands = (look: Parameters<Drawing>[1], minute: number): string =>
  line("M200 200L178 172", look.coal.base, 6) +
  group(`rotate(${minute} 200 200)`, line("M200 200V148", look.coal.base, 4.5)) +
  group(`rotate(${minute * 3 + 40} 200 200)`, line("M200 214V142", look.clay.base, 2)) +
  circle(200, 200, 5, look.coal.base);

export const watch: Drawing = (pen, look) => {
  const { main, second } = look;
  const dial = pen.chance.happens(0.5) ? "#fbf8f1" : second.light;
  return (
    path(
      "M164 118L170 40Q171 30 180 30H220Q229 30 230 40L236 118ZM164 282L170 360Q171 370 180 370H220Q229 370 230 360L236 282Z",
      pen.shade(main.light, main.base, 1),
    ) +
    times(4, (i) => oval(200, 312 + i * 13, 5, 3.5, main.deep, 'opacity=".6"')) +
    line("M176 44V110M224 44V110", main.dark, 2.5, 'stroke-dasharray="5 5"') +
    circle(200, 200, 88, pen.shade(look.case.light, look.case.dark, 0.8)) +
    box(286, 190, 16, 20, 5, look.case.dark) +
    circle(200, 200, 74, dial) +
    times(12, (i) => group(`rotate(${i * 30} 200 200)`, line("M200 138V146", look.coal.base, i % 3 ? 3 : 6))) +
    (pen.chance.happens(0.45)
      ? ring(200, 228, 16, look.steel.base, 3) + line("M200 228L206 218", look.clay.base, 2.5)
      : "") +
    hands(look, pen.chance.between(20, 120)) +
    path("M146 164A66 66 0 0 1 196 134L170 250Z", "#fff", 'opacity=".22"')
  );
};

export const squareWatch: Drawing = (pen, look) => {
  const { main, second } = look;
  const smart = pen.chance.happens(0.5);
  return (
    path(
      "M158 118L166 40Q167 30 178 30H222Q233 30 234 40L242 118ZM158 282L166 360Q167 370 178 370H222Q233 370 234 360L242 282Z",
      pen.shade(main.light, main.base, 1),
    ) +
    box(116, 108, 168, 184, 44, pen.shade(look.case.light, look.case.dark, 0.8)) +
    box(284, 176, 12, 44, 5, look.case.dark) +
    (smart
      ? box(130, 122, 140, 156, 32, "#1d2130") +
        ring(
          200,
          200,
          50,
          second.base,
          10,
          'stroke-dasharray="230 84" stroke-linecap="round" transform="rotate(-90 200 200)"',
        ) +
        ring(
          200,
          200,
          34,
          look.brass.base,
          10,
          'stroke-dasharray="130 84" stroke-linecap="round" transform="rotate(-90 200 200)"',
        ) +
        ring(
          200,
          200,
          18,
          look.rose.base,
          10,
          'stroke-dasharray="80 34" stroke-linecap="round" transform="rotate(-90 200 200)"',
        )
      : box(130, 122, 140, 156, 32, "#fbf8f1") +
        times(4, (i) => group(`rotate(${i * 90} 200 200)`, line("M200 138V150", look.coal.base, 5))) +
        hands(look, pen.chance.between(20, 120))) +
    faint(0.18, path("M140 130H196L160 270H140Z", "#fff"))
  );
};
