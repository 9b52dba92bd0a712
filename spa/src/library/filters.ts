/** What an address narrows a list to, as the API names it. */
import type { LocationQuery } from 'vue-router'

export interface Narrowed {
  q?: string
  genre?: string
  year_from?: number
  year_to?: number
}

/** The order of what is sorted by chance: one for as long as the player is open, so that whoever comes back finds it. */
export const CHANCE = Math.floor(Math.random() * 1e6)

export function narrowed(query: LocationQuery): Narrowed {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name].trim() : '')
  const wanted: Narrowed = {}
  if (text('q')) wanted.q = text('q')
  if (text('genre')) wanted.genre = text('genre')
  for (const name of ['year_from', 'year_to'] as const) {
    const year = Number(text(name))
    if (Number.isInteger(year) && year > 0) wanted[name] = year
  }
  return wanted
}
