/** How fast something goes, of late. Knows no DOM and no clock of its own. */

/** What is older says little about now. Milliseconds. */
const WINDOW_MS = 8_000
const LEAST_MS = 800

export class Pace {
  private readonly marks: { at_ms: number; bytes: number }[] = []

  /** Tell how many bytes there are at a moment. Fewer than before means that something was begun anew. */
  note(bytes: number, at_ms: number): void {
    if ((this.marks.at(-1)?.bytes ?? 0) > bytes) this.marks.length = 0
    this.marks.push({ at_ms, bytes })
    while (this.marks.length > 2 && at_ms - (this.marks[1]?.at_ms ?? at_ms) > WINDOW_MS) this.marks.shift()
  }

  /** Bytes a second; 0 if nothing can be said. */
  get bytes_per_s(): number {
    const [first, last] = [this.marks[0], this.marks.at(-1)]
    if (!first || !last || last.at_ms - first.at_ms < LEAST_MS) return 0
    return ((last.bytes - first.bytes) / (last.at_ms - first.at_ms)) * 1000
  }

  /** Seconds until so many bytes more have gone; null if nothing can be said. */
  left_s(bytes: number): number | null {
    return this.bytes_per_s > 0 ? bytes / this.bytes_per_s : null
  }
}
