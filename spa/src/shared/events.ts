/**
 * News from the node, as it happens (server-sent events). EventSource can send no login, so they are read from fetch. Where
 * the stream fails it is tried again, ever more seldom: what is shown is polled all the same.
 */
import { listen } from './http'
import { asProblem } from './problem'

export interface News {
  event: string
  id: string
  data: unknown
}

const FIRST_MS = 1_000
const MOST_MS = 60_000

/** Takes text piece by piece, as it comes, and gives the events that are whole. */
export class Reader {
  private rest = ''

  take(piece: string): News[] {
    const parts = (this.rest + piece).split(/\r?\n\r?\n/)
    this.rest = parts.pop() ?? ''
    return parts.flatMap((part) => parsed(part) ?? [])
  }
}

function parsed(part: string): News | null {
  const fields: Record<string, string[]> = {}
  for (const line of part.split(/\r?\n/)) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) (fields[name] ??= []).push(value)
  }
  const text = (fields['data'] ?? []).join('\n')
  if (!fields['event'] || !text) return null
  try {
    return { event: fields['event'][0] ?? '', id: fields['id']?.[0] ?? '', data: JSON.parse(text) as unknown }
  } catch {
    return null
  }
}

/** Tell everything that happens, until the signal ends it. */
export async function watchNews(told: (news: News) => void, signal: AbortSignal): Promise<void> {
  let last = ''
  let wait_ms = FIRST_MS
  while (!signal.aborted) {
    try {
      const stream = await listen('/events', last ? { 'Last-Event-ID': last } : {}, signal)
      const [reader, pieces] = [new Reader(), stream.getReader()]
      for (let got = await pieces.read(); !got.done; got = await pieces.read()) {
        wait_ms = FIRST_MS
        for (const news of reader.take(got.value)) {
          last = news.id || last
          told(news)
        }
      }
    } catch (error) {
      if (asProblem(error).status === 404) return // an older node has no news
      wait_ms = Math.min(MOST_MS, wait_ms * 2)
    }
    await pause(wait_ms, signal)
  }
}

/** Until the time is over or the signal ends it; leaves nothing at a signal that lives on. */
function pause(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, signal.aborted ? 0 : wait_ms)
    signal.addEventListener('abort', end)
  })
}
