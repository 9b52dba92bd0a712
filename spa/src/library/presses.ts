/**
 * Switches that are shown at once and kept by the ring later: of each, the last press wins. Its presses go out one after the
 * other, and those that another overtook not at all. Knows no DOM and no network.
 */
export interface Around<Value> {
  has(id: string): Value
  show(ids: readonly string[], value: Value): void
  /** Have the ring keep it; throws if it does not. */
  send(ids: readonly string[], value: Value): Promise<unknown>
}

interface Open<Value> {
  press: number
  /** What the ring is known to have. */
  kept: Value
  turn: Promise<unknown>
}

export class Presses<Value> {
  private readonly open = new Map<string, Open<Value>>()
  private count = 0

  /** Throws what `send` throws, after all that this press showed and nobody pressed since is as the ring has it. */
  async press(ids: readonly string[], value: Value, { has, show, send }: Around<Value>): Promise<void> {
    const press = ++this.count
    const mine = (): string[] => ids.filter((id) => this.open.get(id)?.press === press)
    const earlier = Promise.allSettled(ids.map((id) => this.open.get(id)?.turn))
    let sent: string[] = []
    const turn = earlier.then(() => (sent = mine()).length ? send(sent, value) : undefined)
    for (const id of ids) this.open.set(id, { press, kept: this.open.get(id)?.kept ?? has(id), turn })
    show(ids, value)
    try {
      await turn
      for (const id of sent) {
        const later = this.open.get(id)
        if (later) later.kept = value
      }
    } catch (problem) {
      for (const [id, { press: last, kept }] of this.open) if (last === press) show([id], kept)
      throw problem
    } finally {
      for (const id of mine()) this.open.delete(id)
    }
  }
}
