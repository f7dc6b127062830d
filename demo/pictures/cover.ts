// An article's cover: a wide scene in the light of its own hour of the day.
import { chanceFrom } from "../seeded.ts";
import { box, circle, createPen, group, line, mix, oval, path, ring, times, type Pen } from "./pen.ts";

/** The colours of one hour: sky above and below, far, middle and near ground, the sun or lamp, and ink for details. */
interface Hour {
  sky: readonly [string, string];
  far: string;
  mid: string;
  near: string;
  sun: string;
  accent: string;
  ink: string;
  pale: string;
}

const HOURS: readonly Hour[] = [
  {
    sky: ["#f7c9a3", "#fbe7cf"],
    far: "#d9a38f",
    mid: "#a86f74",
    near: "#5d4660",
    sun: "#fff1cf",
    accent: "#d95f4b",
    ink: "#3b2f49",
    pale: "#fff7ea",
  },
  {
    sky: ["#9fc9dd", "#e3f0ee"],
    far: "#9dbfba",
    mid: "#5f9290",
    near: "#2f5d66",
    sun: "#fff8dc",
    accent: "#e58f4f",
    ink: "#1f3f4c",
    pale: "#f6fbfa",
  },
  {
    sky: ["#26335c", "#6a6f9f"],
    far: "#4e568a",
    mid: "#363f70",
    near: "#1c2347",
    sun: "#f8e7b8",
    accent: "#f0a35e",
    ink: "#11172f",
    pale: "#dfe3f5",
  },
  {
    sky: ["#f2d7dc", "#f8efe6"],
    far: "#d8aab0",
    mid: "#9a7a95",
    near: "#5c527a",
    sun: "#fff6df",
    accent: "#d8655f",
    ink: "#3d3557",
    pale: "#fffaf6",
  },
  {
    sky: ["#cfe0b9", "#f3f3dc"],
    far: "#a6c29a",
    mid: "#6d9776",
    near: "#3a6656",
    sun: "#fff3bd",
    accent: "#dd8a4a",
    ink: "#24463f",
    pale: "#fbfbee",
  },
  {
    sky: ["#f4c66e", "#fae9bd"],
    far: "#dd9f5a",
    mid: "#b36a4c",
    near: "#673f46",
    sun: "#fffbe6",
    accent: "#3f7f86",
    ink: "#46293a",
    pale: "#fffaea",
  },
];

type Scene = (pen: Pen, hour: Hour) => string;

const sky = (pen: Pen, hour: Hour): string => box(0, 0, 800, 500, 0, pen.shade(hour.sky[0], hour.sky[1]));
const sun = (pen: Pen, hour: Hour, x: number, y: number, r: number): string =>
  circle(x, y, r * 3, pen.glow(hour.sun, 0.7)) + circle(x, y, r, hour.sun);
const clouds = (pen: Pen, hour: Hour): string =>
  times(3, (i) => {
    const x = 90 + i * 250 + pen.chance.between(-40, 40);
    const y = 60 + pen.chance.between(0, 90);
    return `<g opacity=".55">${box(x, y, 130, 26, 13, hour.pale)}${box(x + 28, y - 18, 74, 40, 20, hour.pale)}</g>`;
  });
const stars = (pen: Pen): string =>
  times(46, () =>
    circle(
      pen.chance.between(0, 800),
      pen.chance.between(0, 360),
      pen.chance.between(8, 22) / 10,
      "#fff",
      `opacity="${pen.chance.between(3, 9) / 10}"`,
    ),
  );
const night = HOURS[2]!;
const ridge = (pen: Pen, y: number, height: number, fill: string): string => {
  let d = `M0 ${y}`;
  for (let x = 0; x <= 800; x += 100)
    d += `L${x + 50} ${y - pen.chance.between(height / 3, height)}L${x + 100} ${y - pen.chance.between(0, height / 4)}`;
  return path(`${d}V500H0Z`, fill);
};
const hillside = (y: number, swell: number, fill: string): string =>
  path(`M0 ${y}C140 ${y - swell} 260 ${y + swell * 0.6} 420 ${y - swell * 0.2}S700 ${y - swell} 800 ${y}V500H0Z`, fill);
const fir = (x: number, y: number, s: number, fill: string): string =>
  group(
    `translate(${x} ${y}) scale(${s})`,
    path("M0 -110L30 -62H16L40 -24H22L48 10H-48L-22 -24H-40L-16 -62H-30Z", fill) + box(-6, 8, 12, 22, 2, fill),
  );
const house = (x: number, y: number, w: number, h: number, wall: string, roof: string, lamp: string): string =>
  box(x, y - h, w, h, 0, wall) +
  path(`M${x - 10} ${y - h}L${x + w / 2} ${y - h - w * 0.45}L${x + w + 10} ${y - h}Z`, roof) +
  box(x + w * 0.18, y - h * 0.72, w * 0.22, h * 0.26, 2, lamp) +
  box(x + w * 0.6, y - h * 0.72, w * 0.22, h * 0.26, 2, lamp) +
  box(x + w * 0.38, y - h * 0.34, w * 0.24, h * 0.34, 2, roof);
const table = (pen: Pen, hour: Hour): string =>
  box(0, 0, 800, 500, 0, pen.shade(mix(hour.sky[0], hour.pale, 0.35), hour.pale)) +
  circle(400, 240, 250, hour.sky[0], 'opacity=".5"') +
  path("M0 390Q400 368 800 390V500H0Z", hour.mid) +
  path("M0 390Q400 368 800 390V402Q400 380 0 402Z", hour.far);

const SCENES = {
  planet: (pen) =>
    box(0, 0, 800, 500, 0, pen.shade("#171b3c", "#4a3f74")) +
    stars(pen) +
    circle(430, 250, 330, pen.glow("#8f7bd8", 0.4)) +
    group(
      `rotate(${pen.chance.between(-26, -8)} 430 250)`,
      oval(430, 250, 270, 62, "none", 'stroke="#e9c98f" stroke-width="14" opacity=".55"') +
        circle(430, 250, 140, pen.shade("#f2b880", "#a8556f", 0.7)) +
        pen.inside(
          "M290 250a140 140 0 0 1 280 0a140 140 0 0 1 -280 0Z",
          times(5, (i) =>
            path(
              `M270 ${168 + i * 38}q80 -22 160 0t160 0v16q-80 22 -160 0t-160 0Z`,
              i % 2 ? "#fbe0b4" : "#7d3f66",
              'opacity=".32"',
            ),
          ),
        ) +
        path(
          "M160 250C160 284 281 312 430 312S700 284 700 250",
          "none",
          'stroke="#f6dcaa" stroke-width="12" stroke-linecap="round"',
        ),
    ) +
    circle(150, 120, 34, pen.shade("#c9d8ee", "#66719f", 0.6)) +
    circle(668, 400, 16, "#d8a6c0"),
  observatory: (pen) =>
    sky(pen, night) +
    stars(pen) +
    path("M120 0Q300 190 760 330L800 300Q420 150 240 0Z", "#cfd6ff", 'opacity=".16"') +
    ridge(pen, 440, 130, night.mid) +
    hillside(450, 40, night.near) +
    box(330, 300, 180, 130, 0, "#d9d3e4") +
    path("M320 304C320 200 520 200 520 304Z", "#f2edf6") +
    path("M404 228L440 222L470 304H414Z", night.ink) +
    line("M430 262L520 170", "#f0a35e", 22) +
    line("M512 178L540 150", "#f8e7b8", 30) +
    box(400, 360, 40, 70, 4, night.ink) +
    box(346, 340, 28, 30, 3, "#f8e7b8"),
  lab: (pen, hour) =>
    table(pen, hour) +
    path("M350 120H450V200L540 372Q552 396 524 396H276Q248 396 260 372L350 200Z", "#ffffff", 'opacity=".6"') +
    path("M306 290Q400 266 494 290L540 374Q550 394 524 394H276Q250 394 260 374Z", pen.shade(hour.accent, hour.mid)) +
    times(7, () =>
      circle(
        pen.chance.between(310, 490),
        pen.chance.between(300, 372),
        pen.chance.between(6, 14),
        hour.pale,
        'opacity=".7"',
      ),
    ) +
    box(336, 104, 128, 20, 10, hour.ink) +
    box(140, 210, 46, 186, 23, "#fff", 'opacity=".6"') +
    box(140, 300, 46, 96, 23, hour.far) +
    box(610, 180, 46, 216, 23, "#fff", 'opacity=".6"') +
    box(610, 260, 46, 136, 23, hour.accent),
  helix: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.near, hour.ink, 0.6)) +
    circle(400, 250, 300, pen.glow(hour.accent, 0.35)) +
    group(
      "rotate(-24 400 250)",
      times(15, (i) => {
        const x = 40 + i * 52;
        const y = [0, 50, 82, 82, 50, 0, -50, -82, -82, -50][i % 10]!;
        return (
          line(`M${x} ${250 + y}V${250 - y}`, hour.pale, 5, 'opacity=".45"') +
          circle(x, 250 + y, 19, hour.accent) +
          circle(x, 250 - y, 19, hour.sun)
        );
      }),
    ),
  chip: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.near, hour.ink, 0.7)) +
    times(
      9,
      (i) =>
        line(
          `M${280 + i * 30} 140V${60 + (i % 3) * 22}H${180 + i * 56}V0M${280 + i * 30} 360V${430 - (i % 3) * 18}H${180 + i * 56}V500`,
          i % 2 ? hour.far : hour.accent,
          5,
          'opacity=".7"',
        ) +
        line(
          `M270 ${140 + i * 27}H${130 - (i % 3) * 20}M530 ${140 + i * 27}H${660 + (i % 3) * 22}`,
          hour.far,
          5,
          'opacity=".55"',
        ) +
        circle(130 - (i % 3) * 20, 140 + i * 27, 8, hour.sun),
    ) +
    box(258, 108, 284, 284, 26, hour.ink) +
    box(280, 130, 240, 240, 18, pen.shade(hour.mid, hour.near, 0.6)) +
    box(340, 190, 120, 120, 14, pen.shade(hour.sun, hour.accent, 0.6)) +
    times(3, (i) => line(`M362 ${222 + i * 28}H438`, hour.ink, 6, 'opacity=".5"')),
  robot: (pen, hour) =>
    table(pen, hour) +
    line("M400 116V70", hour.ink, 8) +
    circle(400, 60, 18, hour.accent) +
    box(270, 112, 260, 180, 60, pen.shade(hour.pale, hour.sky[0])) +
    box(306, 154, 188, 92, 44, hour.ink) +
    circle(360, 200, 18, hour.sun) +
    circle(440, 200, 18, hour.sun) +
    box(300, 304, 200, 96, 34, pen.shade(hour.pale, hour.far)) +
    circle(400, 350, 20, hour.accent) +
    line("M292 330C230 336 220 380 250 392", hour.far, 26) +
    line("M508 330C590 320 600 250 570 220", hour.far, 26) +
    circle(568, 212, 22, hour.accent) +
    box(246, 176, 24, 56, 12, hour.mid) +
    box(530, 176, 24, 56, 12, hour.mid),
  laptop: (pen, hour) =>
    table(pen, hour) +
    box(220, 110, 360, 236, 18, hour.ink) +
    box(236, 126, 328, 204, 8, pen.shade(hour.near, hour.mid, 0.8)) +
    times(6, (i) =>
      box(
        258 + (i % 2) * 24,
        148 + i * 28,
        80 + pen.chance.between(0, 130),
        12,
        6,
        [hour.sun, hour.pale, hour.accent][i % 3]!,
        'opacity=".9"',
      ),
    ) +
    path("M180 346H620L650 392Q650 402 640 402H160Q150 402 150 392Z", hour.far) +
    box(350, 352, 100, 16, 6, hour.mid) +
    box(640, 300, 54, 80, 10, hour.accent) +
    line("M694 320q28 0 28 22t-28 22", hour.accent, 9) +
    box(90, 320, 60, 70, 6, hour.pale) +
    path("M120 322C84 280 92 240 120 220C148 240 156 280 120 322Z", hour.near),
  turbines: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 620, 150, 50) +
    clouds(pen, hour) +
    hillside(380, 50, hour.far) +
    [
      [170, 350, 1],
      [400, 320, 1.25],
      [590, 370, 0.8],
    ]
      .map(([x, y, s]) =>
        group(
          `translate(${x} ${y}) scale(${s})`,
          path("M-6 60L-3 -140H3L6 60Z", "#fff") +
            group(
              `rotate(${pen.chance.between(0, 119)} 0 -140)`,
              times(3, (i) =>
                path(
                  "M0 -140C16 -170 8 -240 0 -254C-8 -240 -8 -170 0 -140Z",
                  "#fff",
                  `transform="rotate(${i * 120} 0 -140)"`,
                ),
              ),
            ) +
            circle(0, -140, 9, hour.ink),
        ),
      )
      .join("") +
    hillside(420, 40, hour.mid) +
    hillside(462, 26, hour.near),
  forest: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, pen.chance.between(240, 560), 190, 62) +
    times(14, (i) => fir(i * 62, 340, 1.15 + (i % 3) * 0.2, hour.far)) +
    times(11, (i) => fir(i * 80 + 20, 410, 1.5 + (i % 2) * 0.3, hour.mid)) +
    hillside(430, 30, hour.near) +
    times(4, (i) => fir([40, 150, 660, 770][i]!, 470, 2.3, hour.ink)),
  sea: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 520, 230, 74) +
    box(0, 260, 800, 240, 0, hour.mid) +
    times(7, (i) => box(520 - 90 + i * 9, 274 + i * 22, 180 - i * 18, 7, 3, hour.sun, 'opacity=".7"')) +
    times(4, (i) =>
      path(
        `M0 ${330 + i * 46}q50 -26 100 0t100 0 100 0 100 0 100 0 100 0 100 0 100 0V500H0Z`,
        i % 2 ? hour.mid : hour.near,
        'opacity=".75"',
      ),
    ) +
    group(
      "translate(210 300)",
      path("M-80 20H80L56 56H-56Z", hour.ink) +
        path("M-4 10V-120L70 4Z", hour.pale) +
        path("M-12 8V-96L-66 4Z", hour.accent),
    ),
  glacier: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 160, 130, 42) +
    ridge(pen, 330, 180, hour.far) +
    path("M120 330L230 150 300 230 380 100 470 220 540 160 690 330Z", hour.pale) +
    path("M380 100L470 220 540 160 690 330H430Z", mix(hour.pale, hour.mid, 0.32)) +
    box(0, 328, 800, 180, 0, hour.mid) +
    path("M160 336L230 440 300 380 390 470 470 392 560 430 650 336Z", hour.pale, 'opacity=".25"') +
    times(3, (i) => path(`M${80 + i * 260} 420l40 -44 60 10 30 34Z`, hour.pale)) +
    times(5, (i) => line(`M${40 + i * 160} ${450 + (i % 2) * 20}h70`, hour.pale, 5, 'opacity=".5"')),
  chart: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.pale, hour.sky[1])) +
    times(5, (i) => line(`M90 ${110 + i * 70}H720`, hour.far, 2, 'opacity=".5"')) +
    times(8, (i) =>
      box(
        112 + i * 78,
        390 - 60 - i * 22 - pen.chance.between(0, 60),
        46,
        400,
        8,
        i === 6 ? hour.accent : i % 2 ? hour.far : hour.mid,
      ),
    ) +
    box(0, 390, 800, 110, 0, hour.near) +
    line(
      `M110 330C190 ${pen.chance.between(250, 340)} 250 ${pen.chance.between(200, 330)} 340 250S500 ${pen.chance.between(120, 260)} 560 180 650 120 700 80`,
      hour.ink,
      9,
    ) +
    circle(700, 80, 16, hour.accent) +
    circle(340, 250, 10, hour.ink),
  ship: (pen, hour) =>
    sky(pen, hour) +
    clouds(pen, hour) +
    sun(pen, hour, 640, 150, 46) +
    box(0, 350, 800, 150, 0, hour.mid) +
    times(18, (i) =>
      box(
        190 + (i % 6) * 62,
        210 + Math.floor(i / 6) * 36 + (i % 6 > 3 && i < 6 ? 36 : 0),
        58,
        33,
        3,
        [hour.accent, hour.far, hour.pale, hour.near, hour.sun][pen.chance.between(0, 4)]!,
      ),
    ) +
    box(590, 180, 70, 140, 4, hour.pale) +
    box(600, 196, 50, 14, 3, hour.ink) +
    box(612, 150, 20, 34, 2, hour.accent) +
    path("M120 318H720L680 394H180Z", hour.ink) +
    path("M120 318H720L712 334H130Z", hour.accent) +
    times(3, (i) =>
      path(
        `M0 ${386 + i * 34}q50 -20 100 0t100 0 100 0 100 0 100 0 100 0 100 0 100 0V500H0Z`,
        hour.near,
        'opacity=".6"',
      ),
    ),
  stage: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade("#2a1f45", "#6b3358")) +
    times(4, (i) =>
      path(
        `M${140 + i * 170} 0L${60 + i * 150} 400H${240 + i * 160}Z`,
        [hour.sun, hour.accent, "#9fd0e6", hour.sky[0]][i]!,
        'opacity=".28"',
      ),
    ) +
    times(4, (i) => box(120 + i * 170, 0, 44, 34, 6, "#16112a")) +
    path("M0 390H800V500H0Z", "#1b142f") +
    line("M400 392V210", "#e7e0f2", 7) +
    box(386, 170, 28, 62, 14, "#d9d2e6") +
    path("M350 392H450L440 380H360Z", "#e7e0f2") +
    times(
      17,
      (i) =>
        circle(24 + i * 48, 486 + (i % 3) * 8, 34, "#0e0a1c") +
        (i % 4 === 1 ? line(`M${24 + i * 48} 470L${44 + i * 48} 412`, "#0e0a1c", 14) : ""),
    ),
  gallery: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.pale, hour.sky[1])) +
    box(0, 400, 800, 100, 0, hour.far) +
    [
      [70, 90, 170, 220],
      [290, 60, 230, 260],
      [570, 110, 160, 190],
    ]
      .map(
        ([x, y, w, h], i) =>
          path(`M${x! + w! / 2} ${y! - 50}L${x! - 30} ${y! + h! + 30}H${x! + w! + 30}Z`, "#fff", 'opacity=".45"') +
          box(x!, y!, w!, h!, 4, hour.ink) +
          box(x! + 12, y! + 12, w! - 24, h! - 24, 2, [hour.sky[0], hour.near, hour.sun][i]!) +
          [
            circle(x! + w! / 2, y! + h! / 2, 46, hour.accent),
            path(
              `M${x! + 12} ${y! + h! - 12}L${x! + 80} ${y! + 90}L${x! + 130} ${y! + 150}L${x! + 170} ${y! + 100}L${x! + w! - 12} ${y! + h! - 12}Z`,
              hour.sun,
            ),
            times(4, (k) => box(x! + 28 + k * 28, y! + 40 + k * 14, 18, 96, 9, k % 2 ? hour.accent : hour.mid)),
          ][i]!,
      )
      .join("") +
    group(
      "translate(470 430)",
      circle(0, -96, 20, hour.ink) + path("M-26 50V-40Q-26 -72 0 -72T26 -40V50Z", hour.accent),
    ),
  cinema: (pen, hour) =>
    box(0, 0, 800, 500, 0, "#1d1730") +
    path("M400 20L90 90V330H710V90Z", hour.sun, 'opacity=".12"') +
    box(120, 60, 560, 260, 8, pen.shade(hour.sky[0], hour.sky[1])) +
    pen.inside(
      "M120 60H680V320H120Z",
      sun(pen, hour, 500, 170, 50) + hillside(270, 50, hour.mid) + hillside(310, 30, hour.near),
    ) +
    times(3, (row) =>
      times(10 + row, (i) =>
        path(
          `M${-20 + i * (92 - row * 4) + row * 20} ${420 + row * 40}q0 -44 36 -44t36 44v80h-72Z`,
          [mix(hour.accent, "#1d1730", 0.35), mix(hour.accent, "#1d1730", 0.55), mix(hour.accent, "#1d1730", 0.75)][
            row
          ]!,
        ),
      ),
    ),
  pitch: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.sky[0], hour.sky[1])) +
    path("M0 150Q400 90 800 150V250H0Z", hour.near) +
    times(70, () =>
      circle(
        pen.chance.between(0, 800),
        pen.chance.between(140, 226),
        5,
        [hour.accent, hour.pale, hour.sun, hour.far][pen.chance.between(0, 3)]!,
        'opacity=".85"',
      ),
    ) +
    times(6, (i) =>
      path(
        `M${-200 + i * 200} 500L${100 + i * 100} 236H${200 + i * 100}L${i * 200} 500Z`,
        i % 2 ? "#5f9f68" : "#6fae74",
      ),
    ) +
    path("M0 236H100L-200 500H0ZM700 236H800V500H1000Z", "#5f9f68") +
    line("M0 238H800M400 238V500M250 500Q400 330 550 500", "#fff", 5, 'opacity=".85"') +
    oval(300, 444, 46, 10, "#1d3b2b", 'opacity=".35"') +
    circle(300, 400, 44, "#fff") +
    path("M300 376L322 392 314 418H286L278 392Z", hour.ink) +
    line("M300 376V358M322 392L340 386M314 418L324 434M286 418L276 434M278 392L260 386", hour.ink, 4),
  track: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 400, 200, 66) +
    hillside(290, 40, hour.far) +
    path("M0 300H800V500H0Z", hour.accent) +
    times(6, (i) => line(`M${400 - 60 + i * 24} 300L${-300 + i * 280} 500`, hour.pale, 5, 'opacity=".85"')) +
    [
      [300, 1],
      [452, 1.15],
    ]
      .map(([x, s], i) =>
        group(
          `translate(${x} 380) scale(${s})`,
          circle(10, -104, 17, hour.ink) +
            line("M4 -82L-8 -30", i ? hour.near : hour.pale, 26) +
            line("M-6 -26L30 2L14 44M-10 -24L-40 6L-74 0", hour.ink, 14) +
            line("M6 -76L40 -56L62 -74M2 -74L-34 -62L-40 -34", hour.ink, 11),
        ),
      )
      .join(""),
  peaks: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, pen.chance.between(140, 660), 130, 48) +
    ridge(pen, 340, 190, hour.far) +
    ridge(pen, 400, 150, hour.mid) +
    hillside(430, 44, hour.near) +
    line("M120 500C260 470 420 470 430 440S560 410 590 380", hour.pale, 9, 'opacity=".8" stroke-dasharray="2 16"') +
    group(
      "translate(300 436)",
      path("M-34 30L0 -30L34 30Z", hour.accent) + path("M0 -30L34 30H12Z", hour.ink, 'opacity=".4"'),
    ),
  cyclist: (pen, hour) =>
    sky(pen, hour) +
    clouds(pen, hour) +
    hillside(330, 60, hour.far) +
    hillside(390, 40, hour.mid) +
    path("M0 420H800V500H0Z", hour.near) +
    line("M20 460H160M240 460H380M460 460H600M680 460H780", hour.pale, 5, 'opacity=".6"') +
    ring(310, 370, 54, hour.ink, 8) +
    ring(490, 370, 54, hour.ink, 8) +
    line("M310 370L350 300H450L390 370ZM490 370L444 286", hour.accent, 9) +
    line("M444 286L470 278", hour.ink, 8) +
    line("M352 292L400 214L452 282", hour.pale, 24) +
    line("M352 292L402 318L392 370", hour.ink, 17) +
    circle(424, 186, 22, hour.ink) +
    path("M400 182a26 26 0 0 1 52 -4Z", hour.accent),
  pulse: (pen, hour) =>
    box(0, 0, 800, 500, 0, pen.shade(hour.sky[1], hour.pale)) +
    circle(400, 250, 210, hour.sky[0], 'opacity=".5"') +
    path(
      "M400 400C250 300 226 214 272 166C318 122 376 146 400 190C424 146 482 122 528 166C574 214 550 300 400 400Z",
      pen.shade(hour.accent, mix(hour.accent, hour.ink, 0.3), 0.5),
    ) +
    line("M60 270H286L320 210 364 330 408 180 446 300 470 270H740", hour.pale, 11) +
    path(
      "M292 190C304 168 326 160 344 166",
      "none",
      'stroke="#fff" stroke-width="11" stroke-linecap="round" opacity=".5"',
    ),
  sleep: (pen) =>
    box(0, 0, 800, 500, 0, pen.shade("#2a2f58", "#4f4a7e")) +
    box(470, 60, 230, 220, 12, "#171b3a") +
    circle(600, 150, 44, "#f8e7b8") +
    circle(620, 138, 38, "#171b3a") +
    times(9, () => circle(pen.chance.between(484, 690), pen.chance.between(74, 268), 2.4, "#fff")) +
    line("M585 60V280M470 170H700", "#6d69a4", 9) +
    box(60, 250, 40, 190, 12, "#8a5f43") +
    path("M90 330Q90 300 130 300H640Q720 300 720 370V430H90Z", pen.shade("#c9d3f2", "#8f9bd0")) +
    box(120, 268, 150, 66, 30, "#f4f1fa") +
    circle(220, 276, 34, "#d99f7a") +
    path("M186 270C180 226 260 226 256 268C236 250 214 262 186 270Z", "#33274a") +
    path("M260 330C360 260 560 280 720 350V430H250Z", pen.shade("#e3b0b9", "#a8738f")) +
    box(70, 424, 670, 30, 10, "#6a4a3d"),
  plate: (pen, hour) =>
    table(pen, hour) +
    oval(400, 400, 250, 24, hour.ink, 'opacity=".25"') +
    oval(400, 330, 240, 96, "#fff") +
    oval(400, 322, 196, 72, mix("#ffffff", hour.sky[0], 0.25)) +
    times(5, (i) =>
      path(
        `M${300 + i * 46} 340C${270 + i * 46} 280 ${300 + i * 46} 240 ${330 + i * 46} 232C${340 + i * 46} 270 ${334 + i * 46} 320 ${300 + i * 46} 340Z`,
        i % 2 ? "#6f9f5e" : "#8dbb70",
      ),
    ) +
    times(
      6,
      (i) =>
        circle(310 + i * 38, 332 + (i % 2) * 14, 22, ["#d9604f", "#e39a52", "#d94f5c"][i % 3]!) +
        circle(303 + i * 38, 324 + (i % 2) * 14, 6, "#fff", 'opacity=".5"'),
    ) +
    line("M110 300V400M96 250V296Q96 310 110 310T124 296V250M110 250V300", hour.ink, 7) +
    line("M690 400V250C716 262 722 320 690 336", hour.ink, 9),
  bread: (pen, hour) =>
    table(pen, hour) +
    box(150, 366, 500, 34, 12, "#9a6a47") +
    path("M190 366C170 250 270 180 400 180S630 250 610 366Z", pen.shade("#eebf78", "#b6733f", 0.5)) +
    times(4, (i) =>
      path(
        `M${262 + i * 84} 322C${262 + i * 84} 276 ${280 + i * 84} 240 ${312 + i * 84} 222C${318 + i * 84} 260 ${304 + i * 84} 306 ${262 + i * 84} 322Z`,
        "#f9e3b4",
      ),
    ) +
    `<g opacity=".5">${line("M320 150C300 120 340 106 320 70M400 140C380 110 422 96 400 56M480 150C462 120 500 106 480 70", "#fff", 10)}</g>` +
    times(5, (i) =>
      line(`M${110 + i * 8} ${360 - i * 36}l-26 -22M${110 + i * 8} ${360 - i * 36}l18 -30`, "#cf9b4e", 12),
    ),
  coffee: (pen, hour) =>
    table(pen, hour) +
    oval(400, 396, 210, 20, hour.ink, 'opacity=".22"') +
    oval(400, 380, 190, 26, hour.pale) +
    line("M520 250C620 240 610 340 500 332", hour.accent, 26) +
    path(
      "M260 220H540C540 320 500 376 440 376H360C300 376 260 320 260 220Z",
      pen.shade(mix(hour.accent, "#ffffff", 0.3), hour.accent, 1),
    ) +
    oval(400, 220, 140, 30, hour.pale) +
    oval(400, 224, 122, 22, "#6b4632") +
    path(
      "M400 240C350 228 360 210 384 212C394 212 400 220 400 220C400 220 406 212 416 212C440 210 450 228 400 240Z",
      "#f3dfc0",
    ) +
    `<g opacity=".55">${line("M350 170C330 140 372 120 350 84M410 170C390 140 432 120 410 76M466 170C448 144 484 124 466 92", "#fff", 10)}</g>`,
  island: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 610, 170, 70) +
    clouds(pen, hour) +
    box(0, 330, 800, 170, 0, hour.mid) +
    path("M130 350C190 270 420 260 560 350Z", "#e6cf9f") +
    [
      [300, -8],
      [380, 12],
    ]
      .map(
        ([x, lean]) =>
          line(`M${x} 320C${x! + lean!} 260 ${x! + lean! * 3} 210 ${x! + lean! * 5} 170`, "#8a5f43", 13) +
          group(
            `translate(${x! + lean! * 5} 168)`,
            times(6, (i) =>
              path(
                "M0 0C34 -34 80 -30 106 6C72 -8 36 -4 0 0Z",
                i % 2 ? "#4f8a62" : "#3f7355",
                `transform="rotate(${i * 60 - 10})"`,
              ),
            ),
          ),
      )
      .join("") +
    times(4, (i) =>
      path(
        `M0 ${362 + i * 36}q50 -18 100 0t100 0 100 0 100 0 100 0 100 0 100 0 100 0V500H0Z`,
        hour.near,
        'opacity=".45"',
      ),
    ),
  train: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 160, 120, 44) +
    ridge(pen, 330, 170, hour.far) +
    hillside(370, 50, hour.mid) +
    times(7, (i) => path(`M${20 + i * 120} 500V410Q${70 + i * 120} 350 ${120 + i * 120} 410V500`, hour.near)) +
    box(0, 378, 800, 30, 0, hour.near) +
    times(
      3,
      (i) =>
        box(-60 + i * 234, 286, 226, 92, 14, pen.shade(hour.pale, hour.sky[0])) +
        box(-60 + i * 234, 346, 226, 14, 0, hour.accent) +
        times(4, (k) => box(-42 + i * 234 + k * 52, 304, 38, 32, 6, hour.ink)),
    ) +
    path("M642 286H690Q760 296 786 356Q790 378 770 378H642Z", hour.pale) +
    path("M690 300Q740 306 764 340H690Z", hour.ink) +
    path("M642 346H782Q788 362 776 360H642Z", hour.accent),
  skyline: (pen, hour) =>
    sky(pen, hour) +
    sun(pen, hour, 560, 190, 64) +
    times(12, (i) => box(i * 70 - 10, 330 - pen.chance.between(40, 190), 62, 400, 3, hour.far)) +
    times(10, (i) => {
      const top = 390 - pen.chance.between(40, 190);
      const x = i * 84 - 14;
      return (
        box(x, top, 72, 400, 3, hour.mid) +
        times(12, (k) =>
          pen.chance.happens(0.55)
            ? box(x + 12 + (k % 3) * 19, top + 16 + Math.floor(k / 3) * 28, 11, 15, 1, hour.sun, 'opacity=".8"')
            : "",
        )
      );
    }) +
    path("M0 430Q400 400 800 430V500H0Z", hour.near) +
    times(9, (i) => circle(40 + i * 92, 436, 26, hour.ink, 'opacity=".8"')),
  tram: (pen, hour) =>
    sky(pen, hour) +
    times(
      7,
      (i) =>
        box(
          i * 122 - 10,
          90 + (i % 3) * 34,
          112,
          320,
          2,
          [hour.far, hour.mid, mix(hour.far, hour.accent, 0.3)][i % 3]!,
        ) +
        times(6, (k) =>
          box(
            i * 122 + 12 + (k % 2) * 46,
            130 + (i % 3) * 34 + Math.floor(k / 2) * 66,
            26,
            38,
            3,
            hour.sun,
            'opacity=".75"',
          ),
        ),
    ) +
    box(0, 404, 800, 96, 0, hour.near) +
    line("M0 150H800", hour.ink, 3) +
    line("M380 236L420 196L400 150", hour.ink, 5) +
    box(180, 234, 440, 160, 30, pen.shade(hour.accent, mix(hour.accent, hour.ink, 0.25))) +
    times(5, (i) => box(206 + i * 80, 258, 64, 62, 10, hour.pale)) +
    box(180, 338, 440, 10, 0, hour.pale) +
    times(2, (i) => circle(270 + i * 260, 396, 22, hour.ink)) +
    line("M0 418H800M0 452H800", hour.far, 4),
  houses: (pen, hour) =>
    sky(pen, hour) +
    clouds(pen, hour) +
    ridge(pen, 300, 120, hour.far) +
    times(6, (i) =>
      house(
        20 + i * 130,
        420,
        104,
        120 + (i % 3) * 34,
        [hour.accent, hour.pale, hour.sun, mix(hour.accent, hour.sun, 0.5), hour.sky[0], hour.mid][i]!,
        hour.ink,
        hour.near,
      ),
    ) +
    box(0, 418, 800, 82, 0, hour.mid) +
    times(6, (i) =>
      box(
        30 + i * 130,
        430,
        84,
        50,
        4,
        [hour.accent, hour.pale, hour.sun, hour.accent, hour.sky[0], hour.near][i]!,
        'opacity=".3"',
      ),
    ),
  lighthouse: (pen, hour) =>
    sky(pen, hour) +
    (hour === night ? stars(pen) : clouds(pen, hour)) +
    path("M430 130L800 40V220Z", hour.sun, 'opacity=".4"') +
    path("M400 130L0 70V200Z", hour.sun, 'opacity=".25"') +
    box(0, 380, 800, 120, 0, hour.mid) +
    path("M250 420C290 350 540 340 610 420Z", hour.ink) +
    path("M384 160H446L466 366H364Z", hour.pale) +
    path("M380 206H450L454 252H376ZM371 300H459L464 346H366Z", hour.accent) +
    box(374, 148, 82, 14, 4, hour.ink) +
    box(390, 110, 50, 40, 4, hour.sun) +
    path("M384 112L415 80L446 112Z", hour.accent) +
    times(3, (i) =>
      path(
        `M0 ${412 + i * 30}q50 -20 100 0t100 0 100 0 100 0 100 0 100 0 100 0 100 0V500H0Z`,
        hour.near,
        'opacity=".6"',
      ),
    ),
} satisfies Record<string, Scene>;

export type SceneName = keyof typeof SCENES;

/** An SVG document of 800 × 500; the same `id` always gives the same picture. */
export function coverPicture(article: { id: string; scene: SceneName }): string {
  const chance = chanceFrom(article.id);
  const pen = createPen(chance);
  const scene = (SCENES[article.scene] as Scene)(pen, chance.pick(HOURS));
  // Another side and another distance: two covers of one scene are not the same picture.
  const zoom = 1 + chance.between(0, 3) / 10;
  const flip = chance.happens(0.5);
  const left = 400 - 400 * zoom;
  const top = (250 - 250 * zoom) * (1 + chance.share() * 0.8);
  return pen.sheet(
    { width: 800, height: 500 },
    group(
      `translate(${Math.round(flip ? 800 - left : left)} ${Math.round(Math.max(top, 500 - 500 * zoom))}) scale(${flip ? -zoom : zoom} ${zoom})`,
      scene,
    ),
  );
}
