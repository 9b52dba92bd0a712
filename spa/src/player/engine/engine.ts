/**
 * The sound: one song now, the next one ready, and another node's copy when a node dies. Knows no Vue, no queue, no API.
 *
 * Two decks take turns. The next song is opened on the spare deck while the present one plays, and started just before
 * its end (or earlier, to cross-fade). When a deck's node fails, or stays silent, the same deck opens the same song at
 * the same second from the next URL that `source` gives.
 */
import { Deck, type Track } from './deck'
import { replayGain, type GainMode } from './gain'
import type { Graph } from './graph'

export type State = 'empty' | 'loading' | 'playing' | 'paused'

export interface Listener {
  state(state: State): void
  time(position_s: number, duration_s: number, buffered_s: number): void
  /** The next song has begun by itself. */
  advanced(track: Track): void
  /** The song has ended and there is no next one. */
  ended(): void
  /** The song goes on from another URL. */
  switched(from: string, to: string): void
  /** No URL gave the song. `code` is the MediaError's, 0 for silence. */
  failed(track: Track, code: number): void
  /** The browser wants a click first. */
  refused(): void
}

export interface Surroundings {
  media: () => HTMLAudioElement
  graph: Graph
  /** Where to get a track, other than where it was tried; null if there is nowhere left. */
  source: (track: Track, tried: readonly string[]) => string | null
  listener: Listener
}

const PRELOAD_S = 30 // before the end: early enough for a slow link, too late to waste much when people skip
const LEAD_S = 0.04 // an element takes about so long to begin
const SILENCE_MS = 4_000 // without bytes, while it should play
const WATCH_MS = 500

export class Engine {
  private decks: [Deck, Deck]
  private next: Track | null = null
  private wanted = false
  private handover: ReturnType<typeof setTimeout> | undefined
  private readonly watching: ReturnType<typeof setInterval>
  private moved = { at_s: 0, when_ms: 0 }
  private state_: State = 'empty'
  private rate_ = 1
  crossfade_s = 0
  gainMode: GainMode = 'off'

  constructor(private readonly around: Surroundings) {
    this.decks = [this.makeDeck(), this.makeDeck()]
    this.watching = setInterval(() => this.watchSilence(), WATCH_MS)
  }

  get state(): State {
    return this.state_
  }

  get position_s(): number {
    return this.active.position_s
  }

  get track(): Track | null {
    return this.active.track
  }

  /** Play a track from this second on, or only open it. */
  load(track: Track, play: boolean, at_s = 0): void {
    clearTimeout(this.handover)
    if (play) this.around.graph.resume()
    if (this.spare.track?.uid === track.uid && at_s === 0) this.swap()
    this.spare.clear()
    this.wanted = play
    if (this.active.track?.uid !== track.uid || this.active.media.error) {
      this.active.track = null
      this.open(this.active, track, at_s)
    } else this.active.seek(at_s)
    this.active.channel.gain(replayGain(track, this.gainMode), 0)
    if (play) this.start(this.active)
    else this.active.media.pause()
    this.look()
  }

  /** What comes after the present track; null for nothing. */
  follow(track: Track | null): void {
    this.next = track
    if (this.spare.track && this.spare.track.uid !== track?.uid) this.spare.clear()
    this.prepare()
  }

  play(): void {
    if (!this.active.track) return
    this.around.graph.resume()
    this.wanted = true
    this.start(this.active)
    this.look()
  }

  pause(): void {
    this.wanted = false
    clearTimeout(this.handover)
    for (const deck of this.decks) deck.media.pause()
    this.look()
  }

  /** Go to this second of the present song. */
  seek(at_s: number): void {
    clearTimeout(this.handover)
    this.active.seek(Math.max(0, Math.min(at_s, this.active.duration_s)))
    this.moved = { at_s: -1, when_ms: Date.now() }
    this.tell()
  }

  /** Nothing to play any more. */
  clear(): void {
    this.wanted = false
    clearTimeout(this.handover)
    for (const deck of this.decks) deck.clear()
    this.look()
  }

  volume(value: number, over_s = 0): void {
    this.around.graph.volume(value, over_s)
  }

  set rate(rate: number) {
    this.rate_ = rate
    for (const { media } of this.decks) media.playbackRate = media.defaultPlaybackRate = rate
  }

  /** Take up another way of levelling loudness. */
  level(mode: GainMode): void {
    this.gainMode = mode
    if (this.track) this.active.channel.gain(replayGain(this.track, mode), 0.2)
  }

  close(): void {
    clearInterval(this.watching)
    this.clear()
  }

  private get active(): Deck {
    return this.decks[0]
  }

  private get spare(): Deck {
    return this.decks[1]
  }

  private makeDeck(): Deck {
    const media = this.around.media()
    const deck = new Deck(media, this.around.graph.channel(media))
    media.addEventListener('error', () => this.broke(deck, media.error?.code ?? 0))
    media.addEventListener('ended', () => deck === this.active && this.finish())
    for (const name of ['timeupdate', 'durationchange', 'seeked', 'progress'])
      media.addEventListener(name, () => deck === this.active && this.tell())
    for (const name of ['playing', 'pause', 'waiting', 'canplay', 'emptied'])
      media.addEventListener(name, () => deck === this.active && this.look())
    return deck
  }

  private open(deck: Deck, track: Track, at_s: number): void {
    const url = this.around.source(track, [])
    this.moved = { at_s: -1, when_ms: Date.now() }
    if (url === null) this.around.listener.failed(track, 0)
    else deck.load(track, url, at_s, this.rate_)
  }

  private start(deck: Deck): void {
    this.moved = { at_s: -1, when_ms: Date.now() }
    deck.media.play().catch((error: unknown) => {
      // Other rejections come with an error event, or because a newer wish overtook this one.
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        this.wanted = false
        this.around.listener.refused()
        this.look()
      }
    })
  }

  private tell(): void {
    const deck = this.active
    this.around.listener.time(deck.position_s, deck.duration_s, deck.buffered_s)
    this.prepare()
  }

  private look(): void {
    const { track, ready, media } = this.active
    const state: State = !track ? 'empty' : !this.wanted ? 'paused' : ready && !media.paused ? 'playing' : 'loading'
    if (state === this.state_) return
    this.state_ = state
    this.around.listener.state(state)
  }

  // -- from one song to the next ---------------------------------------------------------------------------------

  /** Open the next song in time, and set the clock for its start. */
  private prepare(): void {
    clearTimeout(this.handover)
    const { active, spare, next } = this
    const left_s = active.duration_s - active.position_s
    if (!next || !active.track || active.duration_s === 0 || left_s > PRELOAD_S) return
    if (spare.track?.uid !== next.uid && next.uid !== active.track.uid) {
      const url = this.around.source(next, [])
      if (url !== null) spare.load(next, url, 0, this.rate_)
    }
    if (!this.wanted || active.media.paused) return
    const lead_s = this.fade_s > 0 ? this.fade_s : LEAD_S
    const wait_s = Math.max(0, (left_s - lead_s) / this.rate_)
    if (wait_s < 1) this.handover = setTimeout(() => this.handOver(), wait_s * 1000)
  }

  /** A song shorter than two fades is not faded: nothing of it would be heard alone. */
  private get fade_s(): number {
    const shortest_s = Math.min(this.active.duration_s, this.next?.duration_s || Infinity)
    return shortest_s > 2 * this.crossfade_s ? this.crossfade_s : 0
  }

  /** The next song begins now; the present one is faded out, or plays its last samples. */
  private handOver(): void {
    const { next, fade_s } = this
    if (!next || this.spare.track?.uid !== next.uid || !this.spare.ready) return // `ended` will do it
    const old = this.active
    this.swap()
    this.next = null
    this.active.channel.gain(0, 0)
    this.active.channel.gain(replayGain(next, this.gainMode), fade_s)
    if (fade_s > 0) old.channel.gain(0, fade_s)
    this.start(this.active)
    this.around.listener.advanced(next)
    setTimeout(() => old === this.spare && old.track?.uid !== this.next?.uid && old.clear(), fade_s * 1000 + 500)
  }

  private finish(): void {
    const { next } = this
    if (!next) {
      this.wanted = false
      this.look()
      this.around.listener.ended()
      return
    }
    this.next = null
    this.load(next, true)
    this.around.listener.advanced(next)
  }

  private swap(): void {
    this.decks = [this.spare, this.active]
  }

  // -- when a node dies --------------------------------------------------------------------------------------------

  private broke(deck: Deck, code: number): void {
    const { track } = deck
    if (!track || !deck.media.src) return
    const from = deck.tried.at(-1) ?? ''
    const url = this.around.source(track, deck.tried)
    if (url === null) {
      if (deck === this.active) {
        this.wanted = false
        this.look()
        this.around.listener.failed(track, code)
      } else deck.clear()
      return
    }
    deck.load(track, url, deck === this.active ? this.heard_s : 0, this.rate_)
    if (deck !== this.active) return
    if (this.wanted) this.start(deck)
    this.around.listener.switched(from, url)
  }

  /** The last second that was heard: an element that broke may say 0. */
  private get heard_s(): number {
    return this.active.position_s || Math.max(0, this.moved.at_s)
  }

  private watchSilence(): void {
    const { active } = this
    const at_s = active.position_s
    if (!this.wanted || active.ready || at_s !== this.moved.at_s) {
      this.moved = { at_s, when_ms: Date.now() }
      if (active.ready) active.tried.splice(0, active.tried.length - 1) // it plays: the others may be tried again
    } else if (Date.now() - this.moved.when_ms > SILENCE_MS) this.broke(active, 0)
  }
}
