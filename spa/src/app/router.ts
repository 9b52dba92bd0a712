/** The addresses. Every page sets its title and takes the focus, as a document of its own would. */
import { nextTick } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { useSession } from '@/auth/session'
import { keep, load } from '@/shared/kept'
import { fetchAll } from '@/shared/later'
import { explain } from '@/shared/problem'
import { toast } from '@/shared/toasts'
import { t } from './i18n'
import { arrive } from './scroll'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the title's message. */
    title: string
    open?: boolean
  }
}

const pages: RouteRecordRaw[] = [
  { path: '/', component: () => import('@/library/HomePage.vue'), meta: { title: 'home.title' } },
  { path: '/search', component: () => import('@/library/SearchPage.vue'), meta: { title: 'search.title' } },
  { path: '/genres', component: () => import('@/library/GenresPage.vue'), meta: { title: 'genres.title' } },
  { path: '/years', component: () => import('@/library/YearsPage.vue'), meta: { title: 'years.title' } },
  { path: '/favourites', component: () => import('@/library/MinePage.vue'), meta: { title: 'favourites.title' }, props: { which: 'favourites' } },
  { path: '/played', component: () => import('@/library/MinePage.vue'), meta: { title: 'played.title' }, props: { which: 'played' } },
  { path: '/playlists', component: () => import('@/library/PlaylistsPage.vue'), meta: { title: 'playlist.all' } },
  { path: '/playlists/:id', component: () => import('@/library/PlaylistPage.vue'), meta: { title: 'playlist.one' }, props: true },
  { path: '/songs', component: () => import('@/library/SongsPage.vue'), meta: { title: 'songs.title' } },
  { path: '/songs/:id', component: () => import('@/library/SongPage.vue'), meta: { title: 'song.title' }, props: true },
  { path: '/albums', component: () => import('@/library/AlbumsPage.vue'), meta: { title: 'albums.title' } },
  { path: '/albums/:id', component: () => import('@/library/AlbumPage.vue'), meta: { title: 'albums.one' }, props: true },
  { path: '/artists', component: () => import('@/library/ArtistsPage.vue'), meta: { title: 'artists.title' } },
  { path: '/artists/:id', component: () => import('@/library/ArtistPage.vue'), meta: { title: 'artists.one' }, props: true },
  { path: '/ring', component: () => import('@/ring/RingPage.vue'), meta: { title: 'ring.title' } },
  { path: '/ring/:id', component: () => import('@/ring/NodePage.vue'), meta: { title: 'ring.title' }, props: true },
  { path: '/admin/:part?', component: () => import('@/admin/AdminPage.vue'), meta: { title: 'admin.title' }, props: true },
  { path: '/upload', component: () => import('@/upload/UploadPage.vue'), meta: { title: 'upload.title' } },
  { path: '/settings', component: () => import('./SettingsPage.vue'), meta: { title: 'settings.title' } },
  { path: '/join', component: () => import('@/auth/InvitationPage.vue'), meta: { title: 'account.invited', open: true }, props: (to) => ({ token: to.hash.slice(1) }) },
  { path: '/login', component: () => import('@/auth/LoginPage.vue'), meta: { title: 'login.title', open: true } },
  { path: '/:rest(.*)*', component: () => import('./NotFoundPage.vue'), meta: { title: 'lost.title' } },
]

export const router = createRouter({
  history: createWebHistory(),
  routes: pages,
  scrollBehavior(to, from, saved) {
    if (from.matched.length && to.path !== from.path) arrive(saved !== null)
    return false // the document itself never scrolls
  },
})

router.beforeEach((to) => {
  const { user } = useSession()
  if (!user && !to.meta.open) return { path: '/login', query: to.path === '/' ? {} : { to: to.fullPath } }
  if (user && to.path === '/login') return '/'
  return true
})

router.afterEach((to, from) => {
  setTitle(t(to.meta.title))
  if (to.path !== from.path && from.matched.length) void nextTick(() => focusHeading())
})

const RELOAD_MS = 10_000

/** A page's code does not come: the node is gone, or has another build. The player as it is served now knows the way. */
router.onError((error, to) => {
  if (Date.now() - load('reloadedAt', 0) < RELOAD_MS) return toast(explain(new TypeError(String(error)), t), 'trouble')
  keep('reloadedAt', Date.now())
  location.assign(to.fullPath)
})

/** A page that knows better calls this with its own name. */
export function setTitle(title: string): void {
  document.title = title ? `${title} – ringnode` : 'ringnode'
}

const TRIES = 300 // of waiting for the heading of a page that still loads, one a frame

/** Unless whoever is there has gone on to something else meanwhile. */
function focusHeading(before: Element | null = document.activeElement, left = TRIES): void {
  const heading = document.querySelector<HTMLElement>('main h1')
  if (!heading) {
    const waits = document.activeElement === before || document.activeElement === document.body
    if (left > 0 && waits) requestAnimationFrame(() => focusHeading(before, left - 1))
    return
  }
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}

/** Have all code here before the node that served this page may die. */
export const fetchPages = (): Promise<void> => fetchAll(pages.map(({ component }) => component as () => Promise<unknown>))
