/** Which line of the lyrics is sung now. Knows no DOM. */
export interface Line {
  at_ms: number
  text: string
}

/** Index of the line at this second; -1 before the first. The lines are in order of their times. */
export function lineAt(lines: readonly Line[], at_s: number): number {
  let [from, to] = [0, lines.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((lines[middle]?.at_ms ?? 0) <= at_s * 1000) from = middle + 1
    else to = middle
  }
  return from - 1
}
