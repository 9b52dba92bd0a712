/** An audio element and a graph that obey the clock of the test: what the engine's tests play on. */
import type { Channel, Graph } from './graph'

export class FakeMedia extends EventTarget {
  src = ''
  preload = ''
  currentTime = 0
  duration = NaN
  readyState = 0
  paused = true
  playbackRate = 1
  defaultPlaybackRate = 1
  volume = 1
  error: { code: number } | null = null
  refuse = false
  private bytes_s = 0
  readonly buffered = { length: 1, start: () => 0, end: () => this.bytes_s }

  load(): void {
    this.readyState = 0
    this.currentTime = 0
    this.error = null
    this.paused = true
  }

  removeAttribute(): void {
    this.src = ''
  }

  async play(): Promise<void> {
    if (this.refuse) throw new DOMException('', 'NotAllowedError')
    this.paused = false
  }

  pause(): void {
    this.paused = true
  }

  // -- what the browser would do ---------------------------------------------------------------------------------

  /** The file is open and can be played. */
  opens(duration: number): void {
    this.duration = duration
    this.readyState = 4
    for (const name of ['loadedmetadata', 'canplay']) this.say(name)
    if (!this.paused) this.say('playing')
  }

  /** There are bytes up to this second. */
  has(to_s: number): void {
    this.bytes_s = to_s
    this.say('progress')
  }

  plays(to_s: number): void {
    this.currentTime = to_s
    this.say('timeupdate')
  }

  ends(): void {
    this.plays(this.duration)
    this.paused = true
    this.say('ended')
  }

  fails(code: number): void {
    this.error = { code }
    this.readyState = 0
    this.say('error')
  }

  /** No bytes come any more. */
  starves(): void {
    this.readyState = 2
    this.say('waiting')
  }

  private say(name: string): void {
    this.dispatchEvent(new Event(name))
  }
}

export class FakeGraph implements Graph {
  readonly gains = new Map<unknown, number[]>()
  resumed = 0

  channel(media: unknown): Channel {
    const heard: number[] = []
    this.gains.set(media, heard)
    return { gain: (value) => heard.push(value) }
  }

  volume(): void {
    // Not heard by any test.
  }

  resume(): void {
    this.resumed++
  }
}
