/** Loudness: each deck's own, and that of all. Through Web Audio where there is one, else by the elements' volume. */

export interface Channel {
  /** Go to this gain (1 is as recorded) within so many seconds. */
  gain(value: number, over_s: number): void
}

export interface Graph {
  /** Of an element that will sound; to be asked for before anything does. */
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

/**
 * Where a gain is on its way when a part of the time is over. Of two songs that fade into one another the powers always
 * add up to one, as sin² + cos² = 1: gains that go straight would sound 3 dB quieter in the middle.
 */
export function between(from: number, to: number, part: number): number {
  const angle = (part * Math.PI) / 2
  return to + (from - to) * (to > from ? 1 - Math.sin(angle) : Math.cos(angle))
}

const RAMPS = 16 // straight, of which a fade is made

/** A gain, which waits for Web Audio to be made. */
class Knob implements Channel {
  private node: GainNode | undefined
  private value = 1

  gain(value: number, over_s: number): void {
    this.value = value
    if (!this.node) return
    const { gain, context } = this.node
    const { currentTime: now } = context
    const from = gain.value
    gain.cancelScheduledValues(now)
    gain.setValueAtTime(from, now)
    for (let i = 1; i <= RAMPS; i++)
      gain.linearRampToValueAtTime(between(from, value, i / RAMPS), now + (Math.max(SMOOTH_S, over_s) * i) / RAMPS)
  }

  connect(from: AudioNode | null, to: AudioNode): GainNode {
    this.node = to.context.createGain()
    this.node.gain.value = this.value
    from?.connect(this.node)
    this.node.connect(to)
    return this.node
  }
}

/** Made when something is to be heard: to open the sound device costs a page that starts tens of milliseconds. */
export class WebAudioGraph implements Graph {
  private context: AudioContext | undefined
  private readonly all = new Knob()
  private readonly channels: [HTMLMediaElement, Knob][] = []

  channel(media: HTMLMediaElement): Channel {
    const knob = new Knob()
    this.channels.push([media, knob])
    return knob
  }

  volume(value: number, over_s: number): void {
    this.all.gain(amplitude(value), over_s)
  }

  resume(): void {
    this.context ??= this.make()
    if (this.context.state !== 'running') void this.context.resume().catch(() => undefined)
  }

  private make(): AudioContext {
    const context = new AudioContext({ latencyHint: 'playback' })
    const all = this.all.connect(null, context.destination)
    for (const [media, knob] of this.channels) knob.connect(context.createMediaElementSource(media), all)
    return context
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
    const [from, steps] = [this.value, Math.max(1, Math.round((over_s * 1000) / STEP_MS))]
    let taken = 0
    const step = (): void => {
      this.value = between(from, value, ++taken / steps)
      if (taken === steps) clearInterval(this.timer)
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
