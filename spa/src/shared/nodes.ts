/** The ring's nodes as this page knows them: where to ask, and to play on, when one is silent. Knows no DOM. */

/** How long a node that failed is asked last, in milliseconds. */
const REST_MS = 30_000

export class Nodes {
  private others: string[] = []
  private readonly rests = new Map<string, number>()
  private readonly mourners: ((node: string) => void)[] = []

  /** @param home origin of the node that served this page */
  constructor(
    readonly home: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** The origins of the nodes that are up, in whatever order the ring told them. */
  learn(origins: readonly string[]): void {
    const known = new Set(origins.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin))
    this.others = [...known].filter((origin) => origin !== this.home)
  }

  /** Every node, best first: home, then the others; those that failed a moment ago last. */
  inOrder(): string[] {
    const all = [this.home, ...this.others]
    return [...all.filter((node) => !this.resting(node)), ...all.filter((node) => this.resting(node))]
  }

  /** Be told of every node that fails. */
  onFailed(listener: (node: string) => void): void {
    this.mourners.push(listener)
  }

  failed(node: string): void {
    if (this.resting(node)) return
    this.rests.set(node, this.now() + REST_MS)
    for (const mourner of this.mourners) mourner(node)
  }

  answered(node: string): void {
    this.rests.delete(node)
  }

  private resting(node: string): boolean {
    return (this.rests.get(node) ?? 0) > this.now()
  }
}

export const nodes = new Nodes(globalThis.location?.origin ?? '')
