import { expect, it } from 'vitest'
import { isRepeatable } from './repeatable'

it('sends again only what may be done twice', () => {
  const asked = (what: string): boolean => {
    const [method = '', path = ''] = what.split(' ')
    return isRepeatable(method, `/api/v1${path}`)
  }
  for (const what of ['GET /songs', 'PUT /me/queue', 'DELETE /playlists/5e', 'PATCH /songs/9c', 'POST /me/plays', 'POST /auth/login'])
    expect(asked(what), what).toBe(true)
  for (const what of ['POST /playlists', 'POST /playlists/5e/entries', 'POST /me/app-passwords', 'PUT /me/password', 'POST /x/me/plays'])
    expect(asked(what), what).toBe(false)
})
