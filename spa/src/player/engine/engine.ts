/**
 * The sound: one song now, the next one ready, and another node's copy when a node dies. Knows no Vue, no queue, no API.
 *
 * Two decks take turns. The next song is opened on the spare deck while the present one plays, and started just before
 * its end (or earlier, to cross-fade).
 *
 * When a node dies, a browser may play for half a minute from what it has, and says nothing. So whoever learns of it calls
 * `leave`: the spare deck opens the same song from the next URL that `source` gives, and takes over at the same second
 * before anything is heard. If the present deck breaks or falls silent first, it opens the next URL itself.
 */
import { Deck, type Track } from './deck'
import { replayGain, type GainMode } from './gain'
import type { Graph } from './graph'
import { Silence } from './silence'

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
  /** No bytes come from there: is it still alive? */
  suspect(url: string): void
  /** No URL gave the song. `code` is the MediaError's, 0 for silence; `wanted` tells whether it was to play, or only opened. */
  failed(track: Track, code: number, wanted: boolean): void
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
const ALL_S = 0.5 // lengths are not known more exactly
const OVERLAP_S = 0.1 // the deck that takes over begins so much ahead: about as long as it takes
const WATCH_MS = 500

export class Engine {
  private decks: [Deck, Deck]
  private next: Track | null = null
  private wanted = false
  private handover: ReturnType<typeof setTimeout> | undefined
  private readonly watching: ReturnType<typeof setInterval>
  private readonly silence = new Silence()
  /** The last second that was heard: an element that broke may say 0. */
  private heard_s = 0
  private rescuing = false
  /** No URL gave the present song: it is opened anew before it is played. */
  private spent = false
  private state_: State = 'empty'
  private rate_ = 1
  crossfade_s = 0
  gainMode: GainMode = 'off'

  constructor(private readonly around: Surroundings) {
    this.decks = [this.makeDeck(), this.makeDeck()]
    this.watching = setInterval(() => this.watch(), WATCH_MS)
  }

  get state(): State {
    return this.state_
  }

  get position_s(): number {
    return this.active.position_s
  }

  /** Where more bytes of the present song must come from; empty if all are here. */
  get needs(): string {
    const { active } = this
    const all = active.buffered_s >= active.duration_s - ALL_S
    return active.track && this.wanted && !all ? (active.tried.at(-1) ?? '') : ''
  }

  get track(): Track | null {
    return this.active.track
  }

  /** Play a track from this second on, or only open it. */
  load(track: Track, play: boolean, at_s = 0): void {
    clearTimeout(this.handover)
    this.rescuing = false
    if (play) this.around.graph.resume()
    if (this.spare.track?.uid === track.uid && at_s === 0) this.swap()
    this.spare.clear()
    this.wanted = play
    if (this.active.track?.uid !== track.uid || this.active.media.error || this.spent) {
      this.active.track = null
      this.open(this.active, track, at_s)
    } else this.active.seek(at_s)
    this.active.channel.gain(replayGain(track, this.gainMode), 0)
    if (play) this.start(this.active)
    else this.active.media.pause()
    this.look()
  }

  /** A node is gone: have its songs from elsewhere before the bytes run out. */
  leave(origin: string): void {
    const { active, spare } = this
    if (spare.track && spare.tried.at(-1)?.startsWith(origin)) spare.clear()
    if (!active.track || this.rescuing || !this.needs.startsWith(origin)) return
    if (!active.ready) return this.broke(active, 0)
    const url = this.around.source(active.track, active.tried)
    if (url === null) return
    this.rescuing = true
    spare.load(active.track, url, active.position_s, this.rate_)
    spare.tried = [...active.tried, url]
    spare.channel.gain(0, 0)
  }

  /** What comes after the present track; null for nothing. */
  follow(track: Track | null): void {
    this.next = track
    if (this.spare.track && this.spare.track.uid !== track?.uid && !this.rescuing && !this.spare.sounds) this.spare.clear()
    this.prepare()
  }

  play(): void {
    const { track } = this.active
    if (!track) return
    if (this.spent) return this.load(track, true, this.heard_s)
    this.around.graph.resume()
    this.wanted = true
    this.start(this.active)
    this.look()
  }

  pause(): void {
    this.wanted = false
    clearTimeout(this.handover)
    this.giveUpRescue()
    for (const deck of this.decks) deck.media.pause()
    this.look()
  }

  /** Go to this second of the present song. */
  seek(at_s: number): void {
    clearTimeout(this.handover)
    this.giveUpRescue()
    this.active.seek(Math.max(0, Math.min(at_s, this.active.duration_s)))
    this.silence.stirred()
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
    media.addEventListener('stalled', () => deck === this.active && this.wanted && this.doubt())
    media.addEventListener('progress', () => deck === this.active && this.silence.stirred())
    media.addEventListener('canplay', () => deck === this.spare && this.rescuing && this.align())
    media.addEventListener('seeked', () => deck === this.spare && this.rescuing && this.takeOver())
    for (const name of ['timeupdate', 'durationchange', 'seeked', 'progress'])
      media.addEventListener(name, () => deck === this.active && this.tell())
    for (const name of ['playing', 'pause', 'waiting', 'canplay', 'emptied'])
      media.addEventListener(name, () => deck === this.active && this.look())
    return deck
  }

  private open(deck: Deck, track: Track, at_s: number): void {
    const url = this.around.source(track, [])
    this.silence.stirred()
    this.heard_s = at_s
    this.spent = false
    if (url === null) this.around.listener.failed(track, 0, this.wanted)
    else deck.load(track, url, at_s, this.rate_)
  }

  private start(deck: Deck): void {
    this.silence.stirred()
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
    const { track, position_s, duration_s, buffered_s } = this.active
    if (position_s > 0) this.heard_s = position_s
    if (track) this.around.listener.time(position_s, duration_s, buffered_s)
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
    if (!next || !active.track || active.duration_s === 0 || left_s > PRELOAD_S || this.rescuing) return
    if (!spare.sounds && spare.track?.uid !== next.uid && next.uid !== active.track.uid) {
      const url = this.around.source(next, [])
      if (url !== null) spare.load(next, url, 0, this.rate_)
      spare.channel.gain(this.fade_s > 0 ? 0 : replayGain(next, this.gainMode), 0)
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
    const { next, active } = this
    const fade_s = Math.min(this.fade_s, active.duration_s - active.position_s) / this.rate_ // of the clock, not of the song
    if (!next || this.spare.track?.uid !== next.uid || !this.spare.ready || this.spare.media.error) return // `ended` will do it
    const [old, { track }] = [active, active]
    this.swap()
    this.next = null
    this.active.channel.gain(replayGain(next, this.gainMode), fade_s)
    if (fade_s > 0) old.channel.gain(0, fade_s)
    this.start(this.active)
    this.around.listener.advanced(next)
    setTimeout(() => old === this.spare && old.track === track && old.clear(), fade_s * 1000 + 500)
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

  /** The deck that is to take over can play: bring it to where the present one is by now. */
  private align(): void {
    const { active, spare } = this
    if (spare.position_s < active.position_s) spare.seek(active.position_s + OVERLAP_S)
    else this.takeOver()
  }

  private takeOver(): void {
    const [old, next] = this.decks
    const from = old.tried.at(-1) ?? ''
    this.rescuing = false
    this.swap()
    if (next.track) next.channel.gain(replayGain(next.track, this.gainMode), 0)
    this.start(next)
    old.clear()
    this.around.listener.switched(from, next.tried.at(-1) ?? '')
    this.look()
    this.prepare()
  }

  private giveUpRescue(): void {
    if (this.rescuing) this.spare.clear()
    this.rescuing = false
  }

  private broke(deck: Deck, code: number): void {
    const { track } = deck
    if (!track || !deck.media.src) return
    const from = deck.tried.at(-1) ?? ''
    const url = this.around.source(track, deck.tried)
    if (url === null) {
      if (deck !== this.active) return this.giveUpRescue() // a next song stays: it is tried once more when its turn comes
      const { wanted } = this
      this.wanted = false
      this.spent = true
      this.look()
      return this.around.listener.failed(track, code, wanted)
    }
    if (deck === this.active) this.giveUpRescue()
    deck.load(track, url, deck === this.active || this.rescuing ? this.active.position_s || this.heard_s : 0, this.rate_)
    if (deck !== this.active) return
    if (this.wanted) this.start(deck)
    this.around.listener.switched(from, url)
  }

  private watch(): void {
    const { active, silence } = this
    if (active.ready) active.tried.splice(0, active.tried.length - 1) // it plays: the others may be tried again
    if (!this.wanted || active.ready) return silence.stirred()
    const verdict = silence.judge(active.position_s)
    if (verdict === 'dead') this.broke(active, 0)
    else if (verdict === 'doubtful') this.doubt()
  }

  private doubt(): void {
    if (this.silence.doubt()) this.around.listener.suspect(this.active.tried.at(-1) ?? '')
  }
}
