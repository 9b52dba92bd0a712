/** Songs whose ids are known. */
import { api, data } from './http'
import type { components } from './schema'

/** The API takes more, but not every server in front of it an address of so many. */
export const IDS_AT_ONCE = 100

/** The songs of these ids that are there, in this order. */
export async function songsOf(ids: readonly string[]): Promise<components['schemas']['Song'][]> {
  const wanted = [...new Set(ids)]
  const found = new Map<string, components['schemas']['Song']>()
  for (let from = 0; from < wanted.length; from += IDS_AT_ONCE) {
    const query = { ids: wanted.slice(from, from + IDS_AT_ONCE).join(','), limit: IDS_AT_ONCE }
    for (const song of (await data(api.GET('/songs', { params: { query } }))).items) found.set(song.id, song)
  }
  return ids.flatMap((id) => found.get(id) ?? [])
}
