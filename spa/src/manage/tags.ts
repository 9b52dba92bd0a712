/** Tags of one song or many as a form shows them, and what of the form is a change. Knows no Vue and no DOM. */
import type { components } from '@/shared/schema'

type Song = components['schemas']['Song']

const LISTS = ['artists', 'genres', 'composers'] as const
const NUMBERS = ['track', 'tracks', 'disc', 'discs'] as const
export const SWITCH = 'compilation'
export type Name = 'title' | 'artist' | 'album' | 'albumartist' | 'date' | 'comment' | (typeof LISTS)[number] | (typeof NUMBERS)[number]
/** In the order of the form. */
export const NAMES: readonly Name[] = [
  'title', 'artist', 'artists', 'album', 'albumartist', 'track', 'tracks', 'disc', 'discs', 'date', 'genres', 'composers', 'comment',
] // prettier-ignore

export type Value = string | number | boolean | string[]
export type Changes = Record<string, Value>

export const isList = (name: string): boolean => (LISTS as readonly string[]).includes(name)
export const isNumber = (name: string): boolean => (NUMBERS as readonly string[]).includes(name)

/** A value as the form's text: lists one a line, an unknown number as nothing. */
function shown(song: Song, name: Name): string {
  const value = song[name]
  if (Array.isArray(value)) return value.join('\n')
  return value === 0 ? '' : String(value)
}

/** What is typed, as the API has it. */
function meant(name: string, text: string): Value {
  if (isList(name)) return text.split('\n').map((line) => line.trim()).filter(Boolean)
  if (isNumber(name)) return Math.max(0, Math.trunc(Number(text) || 0))
  return text.trim()
}

/** What the form begins with: a text for each field, null where the songs differ. */
export function common(songs: readonly Song[]): Record<Name, string | null> {
  const of = (name: Name): string | null => {
    const values = new Set(songs.map((song) => shown(song, name)))
    return values.size === 1 ? ([...values][0] ?? '') : null
  }
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as Record<Name, string | null>
}

/** The same for the one switch: null where the songs differ. */
export function commonSwitch(songs: readonly Song[]): boolean | null {
  const values = new Set(songs.map((song) => song.compilation))
  return values.size === 1 ? values.has(true) : null
}

/** Only the fields that somebody changed. null means: as it is, in every song. */
export function changed(before: Record<string, string | null>, now: Record<string, string | null>): Changes {
  const changes: Changes = {}
  for (const [name, text] of Object.entries(now)) {
    if (text === null || text === before[name]) continue
    const value = meant(name, text)
    if (before[name] !== null && JSON.stringify(value) === JSON.stringify(meant(name, before[name] ?? ''))) continue
    changes[name] = value
  }
  return changes
}
