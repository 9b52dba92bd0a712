/** The accent follows the cover of what is played: its hue, in a lightness that is readable in either theme. */
import { watch } from 'vue'
import { dark } from '@/app/theme'
import { coverUrl, usePlayer } from './player'

const SIDE = 24 // pixels: enough to find a colour in
const YELLOW = 0.25
const DULL = 0.12 // saturation below which a cover has no colour worth taking
/** Of the text on both themes' paper and cards, at which the lightness below keeps 4.5 : 1 for every hue. */
const LIGHT = { lightness: 0.46, chroma: 0.1 }
const DARK = { lightness: 0.8, chroma: 0.1 }

/** The hue that covers most, weighed by its strength; null for grey pictures. Pixels as RGBA. */
export function mainHue(pixels: Uint8ClampedArray): number | null {
  const weights = new Array<number>(36).fill(0)
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = [pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0]
    const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)]
    const spread = most - least
    if (most < 40 || spread / most < DULL) continue
    const turn = most === r ? (g - b) / spread : most === g ? 2 + (b - r) / spread : 4 + (r - g) / spread
    const slot = Math.floor((((turn * 60 + 360) % 360) / 360) * 36) % 36
    weights[slot] = (weights[slot] ?? 0) + spread
  }
  // Dark yellow is brown or olive, which nobody sees in the cover: it yields to a colour that keeps its character.
  const kept = weights.map((weight, slot) => (slot >= 3 && slot <= 7 ? weight * YELLOW : weight))
  const best = Math.max(...kept)
  return best > SIDE * SIDE ? kept.indexOf(best) * 10 + 5 : null
}

/** A hue of the colour wheel (HSL) as OKLCH has it, roughly: they differ by up to a few tens of degrees. */
export function perceived(hue: number): number {
  const [from, to] = [[0, 60, 120, 180, 240, 300, 360], [29, 110, 142, 195, 264, 328, 389]]
  const i = Math.min(5, Math.floor(hue / 60))
  const [a, b] = [to[i] ?? 0, to[i + 1] ?? 0]
  return (a + ((hue - (from[i] ?? 0)) / 60) * (b - a)) % 360
}

function paint(hue: number | null): void {
  const { style } = document.documentElement
  if (hue === null) style.removeProperty('--accent')
  else {
    const { lightness, chroma } = dark.value ? DARK : LIGHT
    style.setProperty('--accent', `oklch(${lightness} ${chroma} ${Math.round(perceived(hue))})`)
  }
}

export function hueOf(image: HTMLImageElement): number | null {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  pen?.drawImage(image, 0, 0, SIDE, SIDE)
  return pen ? mainHue(pen.getImageData(0, 0, SIDE, SIDE).data) : null
}

export function useAccent(): void {
  const player = usePlayer()
  let hue: number | null = null
  watch(
    () => player.now,
    (song) => {
      const url = song ? coverUrl(song) : ''
      if (!url) return paint((hue = null))
      const image = new Image()
      image.crossOrigin = 'anonymous'
      image.onload = () => player.now === song && paint((hue = hueOf(image)))
      image.onerror = () => player.now === song && paint((hue = null))
      image.src = url
    },
    { immediate: true },
  )
  watch(dark, () => paint(hue))
}
