/** What was asked of the API, and for how long the answer is good. */
import { QueryClient } from '@tanstack/vue-query'
import { asProblem } from './problem'

/** Told when the library has changed, for lists that are no queries. */
export const CHANGED = 'ringnode-library'

const FRESH_MS = 20_000

export const queries = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: 'always' },
    queries: { networkMode: 'always', staleTime: FRESH_MS, retry: (tries, error) => tries < 2 && asProblem(error).passing },
  },
})

/** Whatever is shown of the library is asked for anew. */
export async function libraryChanged(): Promise<void> {
  dispatchEvent(new Event(CHANGED))
  await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'ring' && queryKey[0] !== 'to edit' })
}
