type Rgb = [number, number, number];

/** The parts of a colour as the API has it: `#6366f1`. */
const parts = (colour: string): Rgb => {
  const part = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
};

const written = (rgb: Rgb) => `#${rgb.map((one) => Math.round(one).toString(16).padStart(2, '0')).join('')}`;

/** How bright a colour is to people, from 0 to 1 (relative luminance of WCAG 2.2). */
function brightness(colour: string): number {
  const linear = parts(colour).map((one) => {
    const share = one / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/** The contrast of two colours, from 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [low, high] = [brightness(one), brightness(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const STEPS = 20;

/** The colour, mixed with `towards` no further than it takes to stand out from `ground` by `least`. */
export function readable(colour: string, ground: string, towards: string, least: number): string {
  const [from, to] = [parts(colour), parts(towards)];
  for (let step = 0; step < STEPS; step += 1) {
    const mixed = written(from.map((one, i) => one + ((to[i] ?? 0) - one) * (step / STEPS)) as Rgb);
    if (contrast(mixed, ground) >= least) return mixed;
  }
  return towards;
}
