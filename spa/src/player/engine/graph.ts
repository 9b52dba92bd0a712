/** Loudness: each deck's own, and that of all. Through Web Audio where there is one, else by the elements' volume. */

export interface Channel {
  /** Go to this gain (1 is as recorded) within so many seconds. */
  gain(value: number, over_s: number): void
}

export interface Graph {
  channel(media: HTMLMediaElement): Channel
  /** Volume of everything, 0 to 1. */
  volume(value: number, over_s: number): void
  /** To be called within a person's click: browsers keep sound suspended until then. */
  resume(): void
}

/** No jump of loudness is shorter: it would click. */
const SMOOTH_S = 0.02

/** Ears hear powers, not amplitudes: half way up a slider should sound half as loud. */
export function amplitude(volume: number): number {
  return Math.max(0, Math.min(1, volume)) ** 2
}

export class WebAudioGraph implements Graph {
  private readonly context = new AudioContext({ latencyHint: 'playback' })
  private readonly master = this.context.createGain()

  constructor() {
    this.master.connect(this.context.destination)
  }

  channel(media: HTMLMediaElement): Channel {
    const node = this.context.createGain()
    this.context.createMediaElementSource(media).connect(node).connect(this.master)
    return { gain: (value, over_s) => this.ramp(node.gain, value, over_s) }
  }

  volume(value: number, over_s: number): void {
    this.ramp(this.master.gain, amplitude(value), over_s)
  }

  resume(): void {
    if (this.context.state !== 'running') void this.context.resume().catch(() => undefined)
  }

  private ramp(param: AudioParam, value: number, over_s: number): void {
    const now = this.context.currentTime
    param.cancelScheduledValues(now)
    param.setValueAtTime(param.value, now)
    param.linearRampToValueAtTime(value, now + Math.max(SMOOTH_S, over_s))
  }
}

const STEP_MS = 50

/** Without Web Audio: gains above 1 are not to be had, ramps go in steps. */
export class PlainGraph implements Graph {
  private all = 1
  private readonly channels: (() => void)[] = []

  channel(media: HTMLMediaElement): Channel {
    let present = 1
    let timer: ReturnType<typeof setInterval> | undefined
    const apply = (): void => {
      media.volume = Math.max(0, Math.min(1, present * this.all))
    }
    this.channels.push(apply)
    const gain = (value: number, over_s: number): void => {
      clearInterval(timer)
      let steps = Math.round((over_s * 1000) / STEP_MS)
      const step = (): void => {
        present += steps > 0 ? (value - present) / steps : value - present
        steps -= 1
        apply()
        if (steps < 1) clearInterval(timer)
      }
      if (steps > 0) timer = setInterval(step, STEP_MS)
      else step()
    }
    return { gain }
  }

  volume(value: number): void {
    this.all = amplitude(value)
    for (const apply of this.channels) apply()
  }

  resume(): void {
    // Nothing is suspended here.
  }
}
