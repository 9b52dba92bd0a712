/** When a song counts as played: half of it was heard, or four minutes, as scrobblers have it. Knows no DOM. */

const ENOUGH_S = 240
const STEP_S = 2 // a longer step of the clock was a seek, and nobody heard what lies between

export class Listening {
  private heard_s = 0
  private at_s = 0
  private done = false

  /** A song begins. */
  begin(at_s: number): void {
    this.heard_s = 0
    this.at_s = at_s
    this.done = false
  }

  /** It is at this second now. True once, when it counts. */
  heard(at_s: number, duration_s: number): boolean {
    const step_s = at_s - this.at_s
    this.at_s = at_s
    if (step_s > 0 && step_s <= STEP_S) this.heard_s += step_s
    const counts = !this.done && duration_s > 0 && this.heard_s >= Math.min(duration_s / 2, ENOUGH_S)
    if (counts) this.done = true
    return counts
  }
}
