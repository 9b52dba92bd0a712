import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { useSession } from '@/auth/session'
import { usePlayer } from '@/player/player'
import type { QueueSong } from '@/player/queue'
import { keep, load } from '@/shared/kept'
import { queries } from '@/shared/queries'
import { useOwner } from './owner'

const SONG: QueueSong = { id: '5e', title: 'Song', artist: '', album: '', duration_s: 100, has_cover: false, mime: 'audio/mpeg' }
const user = (name: string) => ({ name, role: 'listener', display_name: '', active: true, made_at: '' }) as never

beforeEach(() => {
  for (const name of ['load', 'pause'] as const) vi.spyOn(HTMLMediaElement.prototype, name).mockReturnValue(undefined)
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue(undefined)
  localStorage.clear()
  setActivePinia(createPinia())
})

it('keeps queue and plays for whoever logs in again, and nothing of them for anybody else', async () => {
  const [session, player] = [useSession(), usePlayer()]
  session.user = user('ana')
  useOwner()
  player.playSongs([SONG])
  expect(player.playing).toBe(true)
  keep('plays', [{ song: '5e' }])
  queries.setQueryData(['mine', 'recent'], ['5e'])

  session.user = null
  await nextTick()
  expect([player.playing, queries.getQueryData(['mine', 'recent'])]).toEqual([false, undefined])
  session.user = user('ana')
  await nextTick()
  expect([player.now?.id, load('plays', []).length]).toEqual(['5e', 1])

  session.user = null
  await nextTick()
  session.user = user('bea')
  await nextTick()
  player.resume()
  expect([player.now, load('plays', null)]).toEqual([null, []])
})
