/** Where things are on the circle. Knows no DOM. Turns: 0 is the top, 0.25 a quarter clockwise. */

const DIGITS = 12 // 48 bits of an id: finer than any screen

/** The turn of an id or key. */
export function angle(id: string): number {
  return (parseInt(id.slice(0, DIGITS), 16) || 0) / 16 ** DIGITS
}

export interface Point {
  x: number
  y: number
}

export function at(turn: number, radius: number): Point {
  const radians = turn * 2 * Math.PI
  return { x: radius * Math.sin(radians), y: -radius * Math.cos(radians) }
}

/** The path of an arc from one turn to another, clockwise, as SVG has it. A whole circle if they are the same. */
export function arc(from: number, to: number, radius: number): string {
  const length = (to - from + 1) % 1 || 1
  const [a, half, b] = [at(from, radius), at(from + length / 2, radius), at(to, radius)]
  const pen = ({ x, y }: Point): string => `${x.toFixed(2)} ${y.toFixed(2)}`
  const r = radius.toFixed(2)
  return `M ${pen(a)} A ${r} ${r} 0 0 1 ${pen(half)} A ${r} ${r} 0 0 1 ${pen(b)}`
}

export interface Placed<N> {
  node: N
  turn: number
  /** Where its arc begins: at the node before it. */
  from: number
}

/** Nodes in order of the circle, each with its arc. Those that are down have none: theirs goes to the next. */
export function place<N extends { id: string; state: string }>(nodes: readonly N[]): Placed<N>[] {
  const ordered = [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1))
  const live = ordered.filter((node) => node.state === 'up')
  return ordered.map((node) => {
    const turn = angle(node.id)
    const before = [...live].reverse().find((other) => other.id < node.id) ?? live.at(-1)
    return { node, turn, from: before ? angle(before.id) : turn }
  })
}
