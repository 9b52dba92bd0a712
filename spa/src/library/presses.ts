/**
 * Switches that are shown at once and kept by the ring later: of each, the last press wins. Its presses go out one after the
 * other, and those that another overtook not at all. Knows no DOM and no network.
 */
export interface Around {
  has(id: string): boolean
  show(ids: readonly string[], on: boolean): void
  /** Have the ring keep it; throws if it does not. */
  send(ids: readonly string[], on: boolean): Promise<unknown>
}

interface Open {
  press: number
  /** What the ring is known to have. */
  kept: boolean
  turn: Promise<unknown>
}

export class Presses {
  private readonly open = new Map<string, Open>()
  private count = 0

  /** Throws what `send` throws, after all that this press showed and nobody pressed since is as the ring has it. */
  async press(ids: readonly string[], on: boolean, { has, show, send }: Around): Promise<void> {
    const press = ++this.count
    const mine = (): string[] => ids.filter((id) => this.open.get(id)?.press === press)
    const earlier = Promise.allSettled(ids.map((id) => this.open.get(id)?.turn))
    let sent: string[] = []
    const turn = earlier.then(() => (sent = mine()).length ? send(sent, on) : undefined)
    for (const id of ids) this.open.set(id, { press, kept: this.open.get(id)?.kept ?? has(id), turn })
    show(ids, on)
    try {
      await turn
      for (const id of sent) {
        const later = this.open.get(id)
        if (later) later.kept = on
      }
    } catch (problem) {
      for (const id of mine()) show([id], this.open.get(id)?.kept ?? !on)
      throw problem
    } finally {
      for (const id of mine()) this.open.delete(id)
    }
  }
}
