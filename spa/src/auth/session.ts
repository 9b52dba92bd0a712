/** Who is logged in here. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, credentials, data, watch as answers } from '@/shared/http'
import { keep, load } from '@/shared/kept'
import { nodes } from '@/shared/nodes'
import { asProblem } from '@/shared/problem'
import type { components } from '@/shared/schema'

type User = components['schemas']['User']
type Ticket = components['schemas']['Ticket']

const ROLES = ['listener', 'uploader', 'admin']
const FRESH_MS = 6 * 3_600_000 // half of a ticket's life: what is played now must not stop in the middle
const LOOK_MS = 10 * 60_000

/** End the login at the ring, if a node answers. */
function endLogin(): void {
  const headers = { Authorization: `Bearer ${credentials.token}` } // it is forgotten here before this is sent
  void data(api.POST('/auth/logout', { headers })).catch(() => undefined)
}

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  /** Is it known yet whether somebody is logged in? */
  const known = ref(false)
  /** Did they log out themselves? Then whoever comes next is not led to where they were. */
  const left = ref(false)
  credentials.token = load('token', '')
  nodes.learn(load('nodes', [])) // as they were at the last visit
  answers.loggedOut = () => forget(false)

  /** May this user do what needs the role? */
  const may = computed(() => (role: 'uploader' | 'admin') => {
    return ROLES.indexOf(user.value?.role ?? '') >= ROLES.indexOf(role)
  })

  async function login(username: string, password: string): Promise<void> {
    const given = await data(api.POST('/auth/login', { body: { username, password } }))
    credentials.token = given.token
    keep('token', given.token)
    await freshTicket(true)
    user.value = given.user
    keep('user', given.user)
  }

  /** Find out whose login is kept here. Throws a Problem if no node answers. */
  async function resume(): Promise<void> {
    if (credentials.token) {
      try {
        user.value = await data(api.GET('/me'))
        keep('user', user.value)
        await freshTicket()
      } catch (error) {
        if (asProblem(error).status !== 401) takeOld(error)
      }
    }
    known.value = true
  }

  /** The node of this page is gone, but others read our ticket: go on as who we were. Throws if that cannot be. */
  function takeOld(error: unknown): void {
    const [old, ticket] = [load<User | null>('user', null), load<Ticket | null>('ticket', null)]
    const fresh = ticket !== null && Date.parse(ticket.expires_at) > Date.now()
    if (!old || (!fresh && !load<unknown[]>('offline', []).length)) throw error // what is kept here needs no ticket
    credentials.ticket = fresh ? ticket.ticket : ''
    user.value = old
  }

  /** A ticket for URLs, kept so that addresses of covers stay the same. */
  async function freshTicket(anew = false): Promise<void> {
    const old = load<Ticket | null>('ticket', null)
    const ends = old ? Date.parse(old.expires_at) : 0
    if (anew || !old || ends - Date.now() < FRESH_MS) {
      const made = await data(api.POST('/me/ticket'))
      keep('ticket', made)
      credentials.ticket = made.ticket
    } else credentials.ticket = old.ticket
  }

  setInterval(() => {
    if (user.value) freshTicket().catch(() => undefined) // it is asked for again in a while
  }, LOOK_MS)

  function forget(asked: boolean): void {
    left.value = asked
    user.value = null
    credentials.token = credentials.ticket = ''
    keep('token', '')
    keep('ticket', null)
    keep('user', null)
  }

  return { user, known, left, may, login, resume, freshTicket, logout: () => (endLogin(), forget(true)) }
})
