/** Playlists: one's own, those that others share, and what is done with them. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { markRaw, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, data } from '@/shared/http'
import type { components } from '@/shared/schema'
import { asProblem, explain, Problem } from '@/shared/problem'
import { toast } from '@/shared/toasts'
import { rowOf, type Row } from './library'
import { usePages, type Page } from './pages'

export type Playlist = components['schemas']['Playlist']
type Edit = components['schemas']['PlaylistEdit']
const PAGE = 500
const AT_ONCE = 500 // songs in one change

/** The songs that somebody wants in a playlist: the box that asks which is open while there are any. */
export const adding = shallowRef<readonly string[] | null>(null)
export const addToPlaylist = (songs: readonly string[]): void => void (adding.value = songs)

export const usePlaylists = () =>
  useQuery({
    queryKey: ['playlists'],
    queryFn: async () => (await data(api.GET('/playlists', { params: { query: { limit: PAGE } } }))).items,
  })

export const usePlaylist = (id: () => string) =>
  useQuery({ queryKey: ['playlist', id], queryFn: () => data(api.GET('/playlists/{id}', at(id()))) })

/** Rows of a playlist: each knows its entry, for a song may stand in a list twice. */
export const useEntries = (id: () => string, gone: string) =>
  usePages<Row, string>(id, async (list, cursor) => {
    const query = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }
    const page = await data(api.GET('/playlists/{id}/entries', { params: { path: { id: list }, query } }))
    const rows = page.items.map((entry) => markRaw({ ...(entry.song ? rowOf(entry.song) : missing(entry.song_id, gone)), entry: entry.id }))
    return { ...page, items: rows } as Page<Row>
  })

const missing = (id: string, title: string): Row =>
  ({ id, title, artist: '', album: '', duration_s: 0, has_cover: false, mime: '', genre: '', year: '', track: 0, disc: 0, gone: true })

const at = (id: string) => ({ params: { path: { id } } })

/** A reader whom nobody knows, said in the reader's language. */
function nobody(error: unknown): never {
  const problem = asProblem(error)
  throw problem.field === 'readers' ? new Problem('nobody', problem.status, problem.detail) : problem
}

export function usePlaylistChanges() {
  const { t } = useI18n()
  const queries = useQueryClient()

  /** Do it, say what went wrong, and look again at all playlists. Undefined if it was not done. */
  async function change<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (problem) {
      toast(explain(problem, t), 'trouble')
      return undefined
    } finally {
      void queries.invalidateQueries({ queryKey: ['playlists'] })
      void queries.invalidateQueries({ queryKey: ['playlist'] })
    }
  }

  async function put(id: string, songs: readonly string[]): Promise<void> {
    for (let from = 0; from < songs.length; from += AT_ONCE)
      await data(api.POST('/playlists/{id}/entries', { ...at(id), body: { songs: songs.slice(from, from + AT_ONCE) } }))
  }

  return {
    create: (name: string, songs: readonly string[] = []) =>
      change(async () => {
        const made = await data(api.POST('/playlists', { body: { name } }))
        await put(made.id, songs)
        return made
      }),
    add: (id: string, songs: readonly string[]) => change(() => put(id, songs).then(() => true)),
    edit: (id: string, body: Partial<Edit>) => change(() => data(api.PATCH('/playlists/{id}', { ...at(id), body })).catch(nobody)),
    duplicate: (id: string, name: string) => change(() => data(api.POST('/playlists/{id}/duplicate', { ...at(id), body: { name } }))),
    remove: (id: string) => change(() => data(api.DELETE('/playlists/{id}', at(id))).then(() => true)),
    move: (id: string, move: readonly string[], after: string) =>
      change(() => data(api.PATCH('/playlists/{id}/entries', { ...at(id), body: { move: [...move], after } })).then(() => true)),
    takeOut: (id: string, remove: readonly string[]) =>
      change(() => data(api.PATCH('/playlists/{id}/entries', { ...at(id), body: { remove: [...remove] } })).then(() => true)),
    exported: (id: string) =>
      change(async () => String(await data(api.GET('/playlists/{id}/m3u8', { ...at(id), parseAs: 'text' })))),
    importFile: (file: File) =>
      change(async () =>
        data(api.POST('/playlists/import', {
          params: { query: { name: file.name.replace(/\.m3u8?$/i, '') } },
          body: (await file.text()) as never,
          bodySerializer: (text: unknown) => text as string,
          headers: { 'Content-Type': 'audio/x-mpegurl' },
        })),
      ),
  } // prettier-ignore
}
