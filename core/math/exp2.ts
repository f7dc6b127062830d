// Powers of two, logarithms and decay from exact IEEE operations and tables: V8 versions differ in the last bit of `pow`
// (and none of exp, log, pow is promised by ECMAScript), and one bit is enough to give a person other state bytes.
// Table entries and coefficients are the correctly rounded doubles of a 60-digit computation.

// 2^(i/64) for i in 0..63.
const EXP2_TABLE = Float64Array.of(
  1.0,
  1.0108892860517005,
  1.0218971486541166,
  1.0330248790212284,
  1.0442737824274138,
  1.0556451783605572,
  1.0671404006768237,
  1.0787607977571199,
  1.0905077326652577,
  1.102382583307841,
  1.1143867425958924,
  1.1265216186082418,
  1.1387886347566916,
  1.1511892299529827,
  1.1637248587775775,
  1.1763969916502812,
  1.189207115002721,
  1.202156731452703,
  1.215247359980469,
  1.22848053610687,
  1.241857812073484,
  1.255380757024691,
  1.2690509571917332,
  1.2828700160787783,
  1.2968395546510096,
  1.3109612115247644,
  1.3252366431597413,
  1.339667524053303,
  1.3542555469368927,
  1.3690024229745905,
  1.383909881963832,
  1.3989796725383112,
  1.4142135623730951,
  1.42961333839197,
  1.4451808069770467,
  1.460917794180647,
  1.4768261459394993,
  1.4929077282912648,
  1.5091644275934228,
  1.5255981507445384,
  1.5422108254079407,
  1.559004400237837,
  1.5759808451078865,
  1.593142151342267,
  1.6104903319492543,
  1.6280274218573478,
  1.645755478153965,
  1.6636765803267364,
  1.681792830507429,
  1.7001063537185235,
  1.718619298122478,
  1.7373338352737062,
  1.7562521603732995,
  1.7753764925265212,
  1.7947090750031072,
  1.8142521755003989,
  1.8340080864093424,
  1.8539791250833855,
  1.8741676341103,
  1.8945759815869656,
  1.9152065613971474,
  1.9360617934922943,
  1.9571441241754002,
  1.978456026387951,
);

// log2 of the middle of each 64th of [1, 2): log2(1 + (i + 1/2)/64).
const LOG2_TABLE = Float64Array.of(
  0.01122725542325412,
  0.03342300153745028,
  0.0552824355011896,
  0.0768155970508309,
  0.09803208296052672,
  0.11894107272350743,
  0.13955135239879354,
  0.1598713367783894,
  0.17990909001493446,
  0.1996723448363644,
  0.21916852046216156,
  0.2384047393250789,
  0.25738784269265175,
  0.27612440527423754,
  0.294620748891627,
  0.31288295528435534,
  0.33091687811461695,
  0.34872815423107756,
  0.3663222142458158,
  0.38370429247405224,
  0.4008794362821843,
  0.41785251488589786,
  0.43462822763672465,
  0.4512111118323288,
  0.4676055500829974,
  0.4838157772642564,
  0.4998458870832054,
  0.5156998382840424,
  0.5313814605163121,
  0.5468944598876366,
  0.5622424242210726,
  0.5774288280357487,
  0.5924570372680804,
  0.6073303137496107,
  0.6220518194563762,
  0.6366246205436489,
  0.6510516911789286,
  0.6653359171851763,
  0.6794800995054461,
  0.6934869574993252,
  0.7073591320808827,
  0.7210991887071851,
  0.7347096202258382,
  0.7481928495894603,
  0.7615512324444793,
  0.7747870596011734,
  0.7879025593914316,
  0.8008998999203047,
  0.8137811912170371,
  0.826548487290915,
  0.839203788096944,
  0.8517490414160576,
  0.8641861446542802,
  0.8765169465649997,
  0.8887432488982591,
  0.9008668079807486,
  0.9128893362299616,
  0.9248125036057809,
  0.9366379390025705,
  0.9483672315846776,
  0.9600019320680809,
  0.971543553950772,
  0.9829935746943101,
  0.9943534368588579,
);

// ln2^k / k! for k in 1..6: the Taylor series of 2^r; for r < 1/64 the rest is below 2^-56.
const C1 = 0.6931471805599453;
const C2 = 0.24022650695910072;
const C3 = 0.05550410866482158;
const C4 = 0.009618129107628477;
const C5 = 0.0013333558146428443;
const C6 = 0.0001540353039338161;
const TWO_LOG2_E = 2.8853900817779268;

const EXPONENT_MIN = -1022;
const EXPONENT_MAX = 1023;
const POWERS = powersOfTwo();

/**
 * 2 to the power x, the same bits in every engine; at most 2 units in the last place off. Exact for whole x.
 * Below 2^-1022 it is 0 (no subnormals), from 2^1024 on Infinity.
 */
export function exp2(x: number): number {
  const whole = Math.floor(x);
  if (!(whole >= EXPONENT_MIN)) return x !== x ? x : 0;
  if (whole > EXPONENT_MAX) return Infinity;
  const scaled = (x - whole) * 64;
  const index = Math.min(63, Math.floor(scaled)); // x - whole rounds to 1 just below a whole number.
  const r = (scaled - index) / 64;
  const series = r * (C1 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * C6)))));
  const base = EXP2_TABLE[index]!;
  return (base + base * series) * POWERS[whole - EXPONENT_MIN]!;
}

/** 2^n for a whole n, exactly; 0 below the smallest normal number, the largest power above the greatest. */
export function powerOfTwo(n: number): number {
  if (n < EXPONENT_MIN) return 0;
  return POWERS[(n > EXPONENT_MAX ? EXPONENT_MAX : n) - EXPONENT_MIN]!;
}

/**
 * Binary logarithm, the same bits in every engine, about one unit in the last place off. Exact for
 * powers of two; 0 gives -Infinity, x < 0 NaN.
 */
export function log2(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) - 1023;
  if (exponent === -1023) return log2(x * 18014398509481984) - 54; // Subnormal: into the normal range by 2^54.
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  const mantissa = bits.getFloat64(0);
  if (mantissa === 1) return exponent;
  // Just below 1 the sum of exponent and fraction would cancel: log2(x) = -log2(1/x) there, by the same series.
  if (exponent === -1 && mantissa > 1.9921875) return atanhSeries((mantissa - 2) / (mantissa + 2));
  return exponent + log2Fraction(mantissa);
}

/** What is left of a weight after `ageMs`: 2^(-age / half-life). A negative age gives more than 1. */
export function decayFactor(ageMs: number, halfLifeMs: number): number {
  return exp2(-ageMs / halfLifeMs);
}

const bits = new DataView(new ArrayBuffer(8));

function log2Fraction(m: number): number {
  if (m < 1.0078125) return atanhSeries((m - 1) / (m + 1));
  const index = Math.floor((m - 1) * 64);
  const centre = 1 + (index + 0.5) / 64;
  return LOG2_TABLE[index]! + atanhSeries((m - centre) / (m + centre));
}

// log2((1 + s) / (1 - s)) for |s| <= 1/256.
function atanhSeries(s: number): number {
  const q = s * s;
  return TWO_LOG2_E * s * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q / 9))));
}

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(EXPONENT_MAX - EXPONENT_MIN + 1);
  for (let i = 0, power = 1; i <= EXPONENT_MAX; i++, power *= 2) powers[i - EXPONENT_MIN] = power;
  for (let i = 0, power = 1; i >= EXPONENT_MIN; i--, power /= 2) powers[i - EXPONENT_MIN] = power;
  return powers;
}
