/**
 * The one place where the API is asked. What the node that served this page does not answer goes on at another: a ticket
 * in the URL opens the library there without a question beforehand, the token all else. That is what the token is in this
 * browser's storage for: an HttpOnly cookie would be home's alone, and no other node could be asked to change anything.
 */
import createClient from 'openapi-fetch'
import { shallowReactive } from 'vue'
import { nodes } from './nodes'
import { asProblem, Problem, problemOf } from './problem'
import { isRepeatable } from './repeatable'
import type { paths } from './schema'

export const V1 = '/api/v1'
/** A node that says nothing for so long is taken for dead, and a reading asks the next. Milliseconds. */
const SILENCE_MS = 6_000
const PROBE_MS = 2_500
/** What a ticket opens, as `api/auth.py` has it. */
const TICKETED = /^\/api\/v1\/(songs|albums|artists|genres|years|search|ring)(\/|$)/
/** What takes the present password: 401 means that it was mistyped, not that the login has ended. */
const ASKING = ['/me/password', '/me/delete']
/** Said by a node that cannot now, or by what stands before several nodes of which one broke off. */
const ELSEWHERE = [502, 503, 504]

/** The login: the token for all, the ticket for URLs. With another ticket every picture has another address. */
export const credentials = shallowReactive({ token: '', ticket: '' })

/** Called when an answer says that the login has ended. */
export const watch = { loggedOut: (): void => undefined }

/**
 * The answer to a request. Throws a Problem, or what `fetch` does if no node answers. What must not be done twice is sent
 * once, to a node that has just answered.
 */
export async function send(request: Request): Promise<Response> {
  const again = isRepeatable(request.method, new URL(request.url).pathname)
  const asked: Asked = { request, path: request.url.slice(nodes.home.length), body: await bodyOf(request), token: credentials.token }
  const order = again ? nodes.inOrder() : [await alive()].filter((node) => node !== '')
  if (again && order.length === 1) order.push(nodes.home) // behind one address there may be several nodes
  let last: unknown
  for (const [n, node] of order.entries()) {
    try {
      const answer = await ask(asked, node)
      if (!ELSEWHERE.includes(answer.status)) {
        nodes.answered(node)
        // Gone since the first try, whose answer was lost.
        return n > 0 && request.method === 'DELETE' && answer.status === 404 ? new Response(null, { status: 204 }) : noted(answer, asked)
      }
      last = answer
      if (request.method === 'GET') nodes.failed(node)
    } catch (error) {
      if (request.signal.aborted) throw error
      last ??= again ? error : new Problem('unanswered', 0, 'the node fell silent')
      nodes.failed(node)
      if (order[n + 1] === node) break
    }
  }
  if (last instanceof Response) return last
  throw last ?? new TypeError('no node answers')
}

interface Asked {
  request: Request
  path: string
  body: Blob | null
  token: string
}

/** To be sent again, if need be. */
async function bodyOf(request: Request): Promise<Blob | null> {
  const body = request.method === 'GET' ? null : await request.blob()
  return body?.size ? body : null
}

async function ask({ request, path, body }: Asked, node: string): Promise<Response> {
  const { method } = request
  const silence = method === 'GET' ? AbortSignal.timeout(SILENCE_MS) : undefined
  const signal = silence ? AbortSignal.any([request.signal, silence]) : request.signal
  if (node !== nodes.home && method === 'GET' && credentials.ticket && TICKETED.test(new URL(request.url).pathname)) {
    const answer = await fetch(ticketed(node, path), { signal })
    if (answer.status !== 401) return answer // else the ticket has ended
  }
  const headers = new Headers(request.headers)
  if (credentials.token && !headers.has('Authorization')) headers.set('Authorization', `Bearer ${credentials.token}`)
  if (method === 'GET') return fetch(node + path, { headers, signal })
  return whileAlive(node, (gone) => fetch(node + path, { method, headers, body, signal: AbortSignal.any([signal, gone]) }))
}

/** What changes something may take long: it is given up when its node says nothing else either. */
async function whileAlive(node: string, act: (gone: AbortSignal) => Promise<Response>): Promise<Response> {
  const gone = new AbortController()
  const look = async (): Promise<void> => {
    if (!(await probe(node))) gone.abort(new DOMException('the node fell silent', 'TimeoutError'))
  }
  const looking = setInterval(() => void look(), SILENCE_MS)
  try {
    return await act(gone.signal)
  } finally {
    clearInterval(looking)
  }
}

function noted(answer: Response, { path, token }: Asked): Response {
  if (token !== credentials.token) return answer // of a login that is no more the one here
  if (answer.status === 401 && credentials.token && !ASKING.includes(path.slice(V1.length))) watch.loggedOut()
  return answer
}

/** Does a node say anything? If not, everybody is told that it failed. */
export async function probe(node: string): Promise<boolean> {
  const signal = AbortSignal.timeout(PROBE_MS)
  // Whatever it answers is a sign of life, which no-cors allows to see and nothing more.
  const answers = await fetch(`${node}${V1}/version`, { mode: 'no-cors', cache: 'no-store', signal }).then(
    () => true,
    () => false,
  )
  if (!answers) nodes.failed(node)
  return answers
}

/** The first node that says anything; empty if none does. */
async function alive(): Promise<string> {
  for (const node of nodes.inOrder()) if (await probe(node)) return node
  return ''
}

/** The same; home, if none does. */
export const living = async (): Promise<string> => (await alive()) || nodes.home

/** The URL of a path at a node, which the ticket opens, or another one. */
export function ticketed(node: string, path: string, ticket = credentials.ticket): string {
  return `${node}${path}${path.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`
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

/** An answer that goes on: news of a node, as text. The caller ends it by its signal. */
export async function listen(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<ReadableStream<string>> {
  const own = credentials.token ? { Authorization: `Bearer ${credentials.token}` } : {}
  const answer = await fetch((await living()) + V1 + path, { headers: { ...headers, ...own }, signal, cache: 'no-store' })
  if (!answer.ok || !answer.body) throw problemOf(answer.status, await answer.json().catch(() => null))
  return answer.body.pipeThrough(new TextDecoderStream())
}

/** A whole file, however long it takes. Throws its Problem: no part of one is ever given. */
export async function whole(path: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${credentials.token}` }
  const answer = await fetch((await living()) + path, { headers }).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (answer.status !== 200) throw problemOf(answer.status, await answer.json().catch(() => null))
  return answer
}
