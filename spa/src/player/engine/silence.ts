/** How long a deck that should play has neither moved nor had bytes. */

const DOUBT_MS = 1_000 // time to ask whether the node lives
const DEAD_MS = 5_000 // so long not even a slow link is silent

export class Silence {
  private at_s = -1
  private since_ms = Date.now()
  private doubted = false

  /** There is life: bytes came, or something new was begun. */
  stirred(at_s = -1): void {
    this.at_s = at_s
    this.since_ms = Date.now()
    this.doubted = false
  }

  /** It is at this second now, and should play. What to think of it? */
  judge(at_s: number): 'alive' | 'doubtful' | 'dead' {
    if (at_s !== this.at_s) this.stirred(at_s)
    const silent_ms = Date.now() - this.since_ms
    return silent_ms > DEAD_MS ? 'dead' : silent_ms > DOUBT_MS ? 'doubtful' : 'alive'
  }

  /** True once for every silence. */
  doubt(): boolean {
    const first = !this.doubted
    this.doubted = true
    return first
  }
}
