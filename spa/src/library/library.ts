/** Songs, albums and artists of the API, as lists and one by one. */
import { useQuery } from '@tanstack/vue-query'
import { markRaw, type MaybeRefOrGetter } from 'vue'
import { queueSong } from '@/player/player'
import type { QueueSong } from '@/player/queue'
import { api, data } from '@/shared/http'
import type { components, paths } from '@/shared/schema'
import { usePages, type Page } from './pages'

export { keyOf } from './pages'

export type Song = components['schemas']['Song']
export type Album = components['schemas']['Album']
export type Artist = components['schemas']['Artist']
type Asked<P extends '/songs' | '/albums' | '/artists' | '/me/songs'> = NonNullable<paths[P]['get']['parameters']['query']>

/** What a long list keeps of a song. */
export interface Row extends QueueSong {
  genre: string
  year: string
  track: number
  disc: number
  /** In a playlist: the entry, for a song may stand there twice. */
  entry?: string
  /** In a playlist: it is no longer in the library. */
  gone?: boolean
}

const SONGS = 500
const TILES = 120

export function rowOf(song: Song): Row {
  const { genres, date, track, disc } = song
  return markRaw({ ...queueSong(song), genre: genres[0] ?? '', year: date.slice(0, 4), track, disc })
}

export const useSongs = (query: MaybeRefOrGetter<Asked<'/songs'>>) =>
  usePages<Row, Asked<'/songs'>>(query, async (asked, cursor) => {
    const page = await data(api.GET('/songs', { params: { query: { limit: SONGS, ...given(asked), ...at(cursor) } } }))
    return { ...page, items: page.items.map(rowOf) } as Page<Row>
  })

/** Some songs by chance out of all that a query finds, however few of them are on the screen. */
export async function someOf(query: Asked<'/songs'>): Promise<Row[]> {
  const chance = { sort: 'random', seed: Math.floor(Math.random() * 1e9), limit: SONGS } as const
  return (await data(api.GET('/songs', { params: { query: { ...given(query), ...chance } } }))).items.map(rowOf)
}

export const useMySongs = (query: MaybeRefOrGetter<Asked<'/me/songs'>>) =>
  usePages<Row, Asked<'/me/songs'>>(query, async (asked, cursor) => {
    const page = await data(api.GET('/me/songs', { params: { query: { limit: SONGS, ...asked, ...at(cursor) } } }))
    return { ...page, items: page.items.map((mark) => rowOf(mark.song)) } as Page<Row>
  })

export const useAlbums = (query: MaybeRefOrGetter<Asked<'/albums'>>) =>
  usePages<Album, Asked<'/albums'>>(query, async (asked, cursor) => {
    const page = await data(api.GET('/albums', { params: { query: { limit: TILES, ...given(asked), ...at(cursor) } } }))
    return page as Page<Album>
  })

export const useArtists = (query: MaybeRefOrGetter<Asked<'/artists'>>) =>
  usePages<Artist, Asked<'/artists'>>(query, async (asked, cursor) => {
    const page = await data(api.GET('/artists', { params: { query: { limit: TILES, ...given(asked), ...at(cursor) } } }))
    return page as Page<Artist>
  })

const at = (cursor?: string): { cursor?: string } => (cursor === undefined ? {} : { cursor })

/** Without what is empty: the API takes an empty text for a wish. */
function given<T extends object>(asked: T): T {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== '' && value !== undefined)) as T
}

export const useAlbum = (id: () => string) =>
  useQuery({
    queryKey: ['album', id],
    queryFn: () => data(api.GET('/albums/{id}', { params: { path: { id: id() } } })),
  })

export const useArtist = (id: () => string) =>
  useQuery({
    queryKey: ['artist', id],
    queryFn: () => data(api.GET('/artists/{id}', { params: { path: { id: id() } } })),
  })
