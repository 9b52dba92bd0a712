/**
 * The one place where the API is asked. What is only read goes on at another node when the one that served this page
 * is silent: a ticket in the URL stands for the login there, since cookies and tokens stay at home.
 */
import createClient from 'openapi-fetch'
import { nodes } from './nodes'
import { asProblem, problemOf } from './problem'
import type { paths } from './schema'

export const V1 = '/api/v1'
/** A node that says nothing for so long is taken for dead, and a reading asks the next. Milliseconds. */
const SILENCE_MS = 6_000
const PROBE_MS = 2_500
/** What a ticket opens, as `api/auth.py` has it. */
const ELSEWHERE = /^\/api\/v1\/(songs|albums|artists|genres|years|search|ring)(\/|$)/

/** The login: the token for the node at home, the ticket for URLs. */
export const credentials = { token: '', ticket: '' }

/** Called when an answer says that the login has ended. */
export const watch = { loggedOut: (): void => undefined }

/** The answer to a request; TypeError or a TimeoutError if no node gives one. */
export async function send(request: Request): Promise<Response> {
  if (credentials.token) request.headers.set('Authorization', `Bearer ${credentials.token}`)
  if (request.method !== 'GET') return noted(await fetch(request))
  const path = request.url.slice(nodes.home.length)
  const elsewhere = credentials.ticket !== '' && ELSEWHERE.test(new URL(request.url).pathname)
  let last: unknown
  for (const node of elsewhere ? nodes.inOrder() : [nodes.home]) {
    try {
      const answer = await ask(request, node, path)
      if (answer.status !== 503) {
        nodes.answered(node)
        return noted(answer)
      }
      last = answer
    } catch (error) {
      if (request.signal.aborted) throw error
      last ??= error
    }
    nodes.failed(node)
  }
  if (last instanceof Response) return last
  throw last
}

function ask(request: Request, node: string, path: string): Promise<Response> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(SILENCE_MS)])
  return node === nodes.home
    ? fetch(request.url, { headers: request.headers, signal })
    : fetch(ticketed(node, path), { signal })
}

function noted(answer: Response): Response {
  if (answer.status === 401 && credentials.token) watch.loggedOut()
  return answer
}

/** Does a node say anything? If not, everybody is told that it failed. */
export async function probe(node: string): Promise<void> {
  const signal = AbortSignal.timeout(PROBE_MS)
  // Whatever it answers is a sign of life, which no-cors allows to see and nothing more.
  await fetch(`${node}${V1}/version`, { mode: 'no-cors', cache: 'no-store', signal }).catch(() => nodes.failed(node))
}

/** The URL of a path at a node, which the ticket opens. */
export function ticketed(node: string, path: string): string {
  return `${node}${path}${path.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(credentials.ticket)}`
}

/** The API, typed by its own description. */
export const api = createClient<paths>({ baseUrl: nodes.home + V1, fetch: send })

/** The data of an answer. Throws its Problem. */
export async function data<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const got = await asked.catch((error: unknown) => {
    throw asProblem(error)
  })
  if (!got.response.ok) throw problemOf(got.response.status, got.error)
  return got.data as T
}

/** Put a picture in its place; openapi-fetch knows no bodies but JSON. Throws its Problem. */
export async function putPicture(path: string, picture: Blob): Promise<void> {
  const headers = { 'Content-Type': picture.type }
  const request = new Request(nodes.home + V1 + path, { method: 'PUT', body: picture, headers })
  const answer = await send(request).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null))
}

/** An answer that goes on: news of the node at home, as text. The caller ends it by its signal. */
export async function listen(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<ReadableStream<string>> {
  const own = credentials.token ? { Authorization: `Bearer ${credentials.token}` } : {}
  const answer = await fetch(nodes.home + V1 + path, { headers: { ...headers, ...own }, signal, cache: 'no-store' })
  if (!answer.ok || !answer.body) throw problemOf(answer.status, await answer.json().catch(() => null))
  return answer.body.pipeThrough(new TextDecoderStream())
}

/** A whole file, however long it takes. Throws its Problem: no part of one is ever given. */
export async function whole(path: string): Promise<Response> {
  const answer = await fetch(nodes.home + path, { headers: { Authorization: `Bearer ${credentials.token}` } }).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (answer.status !== 200) throw problemOf(answer.status, await answer.json().catch(() => null))
  return answer
}
