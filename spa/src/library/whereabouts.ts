/** The pages of a song's artist and album, which a song names only by their words. */
import { api, data } from '@/shared/http'

const MOST = 50
const same = (a: string, b: string): boolean => a.localeCompare(b, undefined, { sensitivity: 'base' }) === 0
const search = (text: string): string => `/search?q=${encodeURIComponent(text)}`

export async function artistPath(name: string): Promise<string> {
  const { items } = await data(api.GET('/artists', { params: { query: { q: name, limit: MOST } } }))
  const found = items.find((artist) => same(artist.name, name))
  return found ? `/artists/${found.id}` : search(name)
}

export async function albumPath(song: { id: string; album: string; artist: string }): Promise<string> {
  const { items } = await data(api.GET('/albums', { params: { query: { q: song.album, limit: MOST } } }))
  const named = items.filter((album) => same(album.title, song.album))
  const first = named.find((album) => same(album.artist, song.artist)) ?? named[0]
  return first ? `/albums/${first.id}` : search(song.album)
}
