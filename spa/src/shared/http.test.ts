import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { credentials, send, watch } from './http'
import { nodes } from './nodes'

const [A, B] = [nodes.home, 'http://b']
/** What each node says; a function that throws is a node that is gone. */
let say: Record<string, (method: string, path: string, headers: Headers) => Response>
let asked: string[]
const dead = (): never => {
  throw new TypeError('gone')
}
const made = (method: string, path: string, body?: string): Request => new Request(`${A}/api/v1${path}`, { method, ...(body ? { body } : {}) })

beforeEach(() => {
  asked = []
  nodes.learn([A, B])
  for (const node of [A, B]) nodes.answered(node)
  Object.assign(credentials, { token: 'T', ticket: 'K' })
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const { origin, pathname } = new URL(url)
    const method = init.method ?? 'GET'
    asked.push(`${origin === B ? 'B' : 'A'} ${method} ${pathname.slice('/api/v1'.length)}${init.body ? ` ${await (init.body as Blob).text()}` : ''}`)
    return (say[origin] ?? dead)(method, url, new Headers(init.headers))
  })
})
afterEach(() => vi.unstubAllGlobals())
const fine = (): Response => new Response('{}', { status: 200 })

it('has another node do what may be done twice, with the same body and the token', async () => {
  let token: string | null = ''
  say = { [A]: dead, [B]: (_method, _path, headers) => ((token = headers.get('Authorization')), fine()) }
  expect((await send(made('PUT', '/me/queue', 'songs'))).status).toBe(200)
  expect(asked).toEqual(['A PUT /me/queue songs', 'B PUT /me/queue songs'])
  expect(token).toBe('Bearer T')
})

it('takes what is gone at the second try for deleted', async () => {
  say = { [A]: dead, [B]: () => new Response('{}', { status: 404 }) }
  expect((await send(made('DELETE', '/playlists/5e'))).status).toBe(204)
  expect((await send(made('PATCH', '/songs/9c', '{}'))).status).toBe(404)
})

it('begins what must not be done twice only at a node that answers, and never again', async () => {
  say = { [A]: dead, [B]: fine }
  expect((await send(made('POST', '/playlists', 'x'))).status).toBe(200)
  expect(asked).toEqual(['A GET /version', 'B GET /version', 'B POST /playlists x'])
  asked = []
  say = { [A]: dead, [B]: (method) => (method === 'POST' ? dead() : fine()) }
  await expect(send(made('POST', '/playlists', 'x'))).rejects.toMatchObject({ kind: 'unanswered', passing: true })
  expect(asked.filter((one) => one.includes('POST'))).toEqual(['B POST /playlists x'])
  say = { [A]: dead, [B]: dead }
  await expect(send(made('POST', '/playlists', 'x'))).rejects.toThrow(TypeError)
})

it('asks once more where several nodes are behind one address', async () => {
  nodes.learn([A])
  let tries = 0
  say = { [A]: () => (++tries === 1 ? new Response('', { status: 502 }) : fine()) }
  expect((await send(made('PUT', '/me/queue', 'x'))).status).toBe(200)
})

it('reads elsewhere by ticket, by token when that has ended', async () => {
  const tried: string[] = []
  say = { [A]: dead, [B]: (_method, path, headers) => {
    tried.push(path.includes('ticket=K') ? 'ticket' : (headers.get('Authorization') ?? ''))
    return path.includes('ticket') ? new Response('', { status: 401 }) : fine()
  } } // prettier-ignore
  expect((await send(made('GET', '/songs'))).status).toBe(200)
  expect(tried).toEqual(['ticket', 'Bearer T'])
})

it('says when the login has ended, but not for a mistyped password', async () => {
  say = { [A]: () => new Response('', { status: 401 }), [B]: fine }
  const ended = vi.spyOn(watch, 'loggedOut')
  await send(made('PUT', '/me/password', '{}'))
  expect(ended).not.toHaveBeenCalled()
  await send(made('GET', '/me'))
  expect(ended).toHaveBeenCalledOnce()
})

it('takes no late answer to an old login for the end of the present one', async () => {
  const ended = vi.spyOn(watch, 'loggedOut')
  say = { [A]: () => ((credentials.token = 'new'), new Response('', { status: 401 })), [B]: fine }
  await send(made('GET', '/me'))
  expect(ended).not.toHaveBeenCalled()
})
