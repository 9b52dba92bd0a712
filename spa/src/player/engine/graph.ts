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

/** A value that goes to another in steps. */
class Ramp {
  value = 1
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly changed: () => void) {}

  to(value: number, over_s: number): void {
    clearInterval(this.timer)
    let steps = Math.max(1, Math.round((over_s * 1000) / STEP_MS))
    const step = (): void => {
      this.value += (value - this.value) / steps--
      if (steps === 0) clearInterval(this.timer)
      this.changed()
    }
    if (steps > 1) this.timer = setInterval(step, STEP_MS)
    else step()
  }
}

/** Without Web Audio: gains above 1 are not to be had, ramps go in steps. */
export class PlainGraph implements Graph {
  private readonly channels: (() => void)[] = []
  private readonly all = new Ramp(() => this.channels.forEach((apply) => apply()))

  channel(media: HTMLMediaElement): Channel {
    const apply = (): void => {
      media.volume = Math.max(0, Math.min(1, own.value * this.all.value))
    }
    const own = new Ramp(apply)
    this.channels.push(apply)
    return { gain: (value, over_s) => own.to(value, over_s) }
  }

  volume(value: number, over_s: number): void {
    this.all.to(amplitude(value), over_s)
  }

  resume(): void {
    // Nothing is suspended here.
  }
}
