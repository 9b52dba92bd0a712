/**
 * What is played in which order. Knows no DOM and no sound: it says what is now and what is next.
 *
 * Entries stand in the order in which they will be played. Each keeps its `rank`, its place in the order without
 * shuffle, so that shuffle can be taken back.
 */
export type Repeat = 'off' | 'all' | 'one'
/** What the one button makes of each. */
export const NEXT_REPEAT: Record<Repeat, Repeat> = { off: 'all', all: 'one', one: 'off' }

/** What is kept of a song to show and play it. */
export interface QueueSong {
  id: string
  title: string
  artist: string
  album: string
  duration_s: number
  has_cover: boolean
  mime: string
  format?: string
  track_gain_db?: number | null
  track_peak?: number | null
  album_gain_db?: number | null
  album_peak?: number | null
}

export interface Entry {
  /** Its own number: a song may stand in the queue twice. */
  uid: number
  rank: number
  song: QueueSong
}

export interface Saved {
  entries: QueueSong[]
  ranks: number[]
  current: number
  shuffle: boolean
  repeat: Repeat
}

/** More than anyone listens to at once, and still remembered over a reload. */
export const QUEUE_LIMIT = 5_000

export class Queue {
  entries: readonly Entry[] = []
  /** Index of what is played, -1 if nothing is. */
  current = -1
  shuffle = false
  repeat: Repeat = 'off'
  private uids = 0

  /** @param random a number from 0 up to 1, as Math.random */
  constructor(
    private readonly changed: () => void = () => undefined,
    private readonly random: () => number = Math.random,
  ) {}

  get now(): Entry | null {
    return this.entries[this.current] ?? null
  }

  /** Replace everything, and stand at the song with this index. `mixed`: shuffle, where it is on, has been done. */
  set(songs: readonly QueueSong[], at = 0, mixed = false): void {
    this.entries = songs.slice(0, QUEUE_LIMIT).map((song, i) => this.entry(song, i))
    this.current = this.entries.length ? Math.min(Math.max(0, at), this.entries.length - 1) : -1
    if (this.shuffle && !mixed) this.mix()
    this.changed()
  }

  /** Put songs at the end. Returns how many there was room for. */
  add(songs: readonly QueueSong[]): number {
    const top = Math.max(-1, ...this.entries.map((entry) => entry.rank))
    return this.insert(songs, this.entries.length, (i) => top + 1 + i)
  }

  /** Put songs behind the present one. Returns how many there was room for. */
  addNext(songs: readonly QueueSong[]): number {
    const rank = this.now?.rank ?? -1
    const above = Math.min(rank + 1, ...this.entries.map((entry) => entry.rank).filter((other) => other > rank))
    return this.insert(songs, this.current + 1, (i) => rank + ((above - rank) * (i + 1)) / (songs.length + 1))
  }

  private insert(songs: readonly QueueSong[], at: number, rank: (i: number) => number): number {
    const fit = songs.slice(0, Math.max(0, QUEUE_LIMIT - this.entries.length))
    this.entries = [
      ...this.entries.slice(0, at),
      ...fit.map((song, i) => this.entry(song, rank(i))),
      ...this.entries.slice(at),
    ]
    if (this.current < 0 && fit.length) this.current = 0
    this.changed()
    return fit.length
  }

  /**
   * Take entries out. If the present one is among them, what would have followed of those that stay is the present one.
   * Returns false if nothing would have: then it stands at the last one.
   */
  remove(uids: readonly number[]): boolean {
    const gone = new Set(uids)
    const before = this.entries.slice(0, Math.max(0, this.current)).filter((entry) => !gone.has(entry.uid)).length
    this.entries = this.entries.filter((entry) => !gone.has(entry.uid))
    this.current = before - 1
    const after = this.after()
    const goesOn = after < this.entries.length
    if (goesOn) this.current = after
    this.changed()
    return goesOn
  }

  clear(): void {
    this.set([])
  }

  /** Move an entry to another index. */
  move(uid: number, to: number): void {
    const from = this.entries.findIndex((entry) => entry.uid === uid)
    if (from < 0) return
    const now = this.now
    const entries = [...this.entries]
    entries.splice(Math.min(Math.max(0, to), entries.length - 1), 0, ...entries.splice(from, 1))
    this.entries = this.shuffle ? entries : entries.map((entry, rank) => ({ ...entry, rank }))
    this.current = this.entries.findIndex((entry) => entry.uid === now?.uid)
    this.changed()
  }

  jump(uid: number): Entry | null {
    const at = this.entries.findIndex((entry) => entry.uid === uid)
    if (at >= 0) this.go(at)
    return this.now
  }

  /** What comes when the present song ends by itself, without going there. */
  get following(): Entry | null {
    return this.repeat === 'one' ? this.now : (this.entries[this.after()] ?? null)
  }

  /** Go to what follows: by itself at the end of a song, or because somebody asked. Null at the end of all. */
  next(asked: boolean): Entry | null {
    const at = this.repeat === 'one' && !asked ? this.current : this.after()
    if (!this.entries[at]) return null
    this.go(at)
    return this.now
  }

  /** Go back by one; at the beginning it stays there, or goes to the end if everything is repeated. */
  previous(): Entry | null {
    const wrapped = this.repeat === 'all' ? this.entries.length - 1 : 0
    if (this.entries.length) this.go(this.current > 0 ? this.current - 1 : wrapped)
    return this.now
  }

  setRepeat(repeat: Repeat): void {
    this.repeat = repeat
    this.changed()
  }

  setShuffle(shuffle: boolean): void {
    if (shuffle === this.shuffle) return
    this.shuffle = shuffle
    if (shuffle) this.mix()
    else {
      const now = this.now
      this.entries = [...this.entries].sort((a, b) => a.rank - b.rank)
      this.current = this.entries.findIndex((entry) => entry.uid === now?.uid)
    }
    this.changed()
  }

  saved(): Saved {
    return {
      entries: this.entries.map((entry) => entry.song),
      ranks: this.entries.map((entry) => entry.rank),
      current: this.current,
      shuffle: this.shuffle,
      repeat: this.repeat,
    }
  }

  /** Take up what `saved` gave. */
  restore(saved: Saved): void {
    this.entries = saved.entries.map((song, i) => this.entry(song, saved.ranks[i] ?? i))
    this.current = Math.min(saved.current, this.entries.length - 1)
    this.shuffle = saved.shuffle
    this.repeat = saved.repeat
    this.changed()
  }

  private after(): number {
    const at = this.current + 1
    return at >= this.entries.length && this.repeat === 'all' ? 0 : at
  }

  private go(at: number): void {
    this.current = at
    this.changed()
  }

  private entry(song: QueueSong, rank: number): Entry {
    return { uid: ++this.uids, rank, song }
  }

  /** The present song first, all others behind it by chance (Fisher and Yates). */
  private mix(): void {
    const now = this.now
    const rest = this.entries.filter((entry) => entry !== now)
    for (let i = rest.length - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1))
      ;[rest[i], rest[j]] = [rest[j] as Entry, rest[i] as Entry]
    }
    this.entries = now ? [now, ...rest] : rest
    this.current = this.entries.length ? 0 : -1
  }
}
