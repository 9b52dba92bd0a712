/** What may be sent twice, as `docs/api.md` says under "Trying again". Knows no DOM. */

const POSTS = [
  '/auth/login', '/auth/logout', '/me/ticket', '/me/stars', '/me/ratings', '/me/plays', '/songs/edits', '/songs/restore',
  '/songs/encoding-preview', '/uploads/known',
] // prettier-ignore

const PASSWORD = '/me/password'

/** Is twice as good as once? A POST that makes something is not; this player sends no edit that depends on a version. */
export function isRepeatable(method: string, path: string): boolean {
  const route = path.slice(path.indexOf('/v1') + '/v1'.length)
  return method === 'POST' ? POSTS.includes(route) : route !== PASSWORD
}
