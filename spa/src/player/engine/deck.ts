/** One audio element with its song and its loudness. The engine has two and lets them take turns. */
import type { Channel } from './graph'
import type { Gains } from './gain'

/** What the engine needs to know of a song. `uid` is the queue's: a song may be in it twice. */
export interface Track extends Gains {
  uid: number
  id: string
  duration_s: number
}

export class Deck {
  track: Track | null = null
  /** URLs that failed for this track, the present one last. */
  tried: string[] = []
  /** Where to go as soon as the file is open, in seconds. */
  private start = 0

  constructor(
    readonly media: HTMLAudioElement,
    readonly channel: Channel,
  ) {
    media.preload = 'auto'
    media.addEventListener('loadedmetadata', () => this.seekToStart())
  }

  /** Open a track at this second. */
  load(track: Track, url: string, at_s: number, rate: number): void {
    if (this.track?.uid !== track.uid) this.tried = []
    this.track = track
    this.tried.push(url)
    this.start = at_s
    this.media.src = url
    this.media.load()
    this.media.playbackRate = this.media.defaultPlaybackRate = rate
  }

  /** Where it is in its song, in seconds. */
  get position_s(): number {
    return this.start || this.media.currentTime
  }

  /** Length of the song: the file's own as soon as it is open. */
  get duration_s(): number {
    const known = this.media.duration
    return Number.isFinite(known) && known > 0 ? known : (this.track?.duration_s ?? 0)
  }

  /** Up to which second there are bytes from the present position on. */
  get buffered_s(): number {
    const { buffered } = this.media
    for (let i = 0; i < buffered.length; i++)
      if (buffered.start(i) <= this.position_s + 0.5 && buffered.end(i) >= this.position_s) return buffered.end(i)
    return this.position_s
  }

  /** Can it go on now without waiting for bytes? */
  get ready(): boolean {
    return this.media.readyState >= HAVE_FUTURE_DATA
  }

  /** Is it heard, be it only the end of a song that another follows already? */
  get sounds(): boolean {
    return !this.media.paused && !this.media.ended
  }

  seek(at_s: number): void {
    if (this.media.readyState < HAVE_METADATA) this.start = at_s
    else this.media.currentTime = at_s
  }

  /** Let go of song and connection. */
  clear(): void {
    this.track = null
    this.start = 0
    this.media.pause()
    this.media.removeAttribute('src')
    this.media.load()
  }

  private seekToStart(): void {
    if (this.start > 0) this.media.currentTime = Math.min(this.start, Math.max(0, this.duration_s - 0.1))
    this.start = 0
  }
}

const HAVE_METADATA = 1
const HAVE_FUTURE_DATA = 3
