import { expect, it } from 'vitest'
import { mainHue, perceived } from './accent'

const picture = (...colours: [r: number, g: number, b: number][]): Uint8ClampedArray =>
  new Uint8ClampedArray(Array.from({ length: 576 }, (_, i) => [...colours[i % colours.length]!, 255]).flat())

it('finds the colour of a cover', () => {
  expect(mainHue(picture([200, 20, 20]))).toBeCloseTo(5)
  expect(mainHue(picture([20, 40, 200], [20, 40, 200], [0, 150, 0]))).toBe(235)
})
it('finds none in grey, black and white', () => expect(mainHue(picture([90, 92, 90], [0, 0, 0], [255, 255, 255]))).toBeNull())
it('would rather have a teal than a brown', () => expect(mainHue(picture([230, 170, 80], [10, 90, 110]))).toBe(195))

/** WCAG's contrast of an OKLCH colour against an sRGB one (both formulas from their specifications). */
function contrast(l: number, c: number, h: number, other: string): number {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)]
  const [x, y, z] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b, l - 0.0894841775 * a - 1.291485548 * b].map((v) => v ** 3)
  const clip = (v: number): number => Math.max(0, Math.min(1, v))
  const luminance = (r: number, g: number, bl: number): number => 0.2126 * r + 0.7152 * g + 0.0722 * bl
  const mine = luminance(
    clip(4.0767416621 * x! - 3.3077115913 * y! + 0.2309699292 * z!),
    clip(-1.2684380046 * x! + 2.6097574011 * y! - 0.3413193965 * z!),
    clip(-0.0041960863 * x! - 0.7034186147 * y! + 1.707614701 * z!),
  )
  const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  const [r, g, bl] = [1, 3, 5].map((i) => linear(parseInt(other.slice(i, i + 2), 16) / 255))
  const theirs = luminance(r!, g!, bl!)
  return (Math.max(mine, theirs) + 0.05) / (Math.min(mine, theirs) + 0.05)
}

it('is readable whatever the cover, in both themes', () => {
  for (let hue = 0; hue < 360; hue += 5) {
    const h = perceived(hue)
    for (const paper of ['#f7f5f1', '#fffefb', '#efece5', '#ffffff']) expect(contrast(0.46, 0.1, h, paper), `${hue}`).toBeGreaterThan(4.5)
    for (const paper of ['#11161a', '#192025', '#06211e']) expect(contrast(0.8, 0.1, h, paper), `${hue}`).toBeGreaterThan(4.5)
  }
})
