/// <reference lib="webworker" />
/**
 * Keeps the player itself in the browser, so that it starts also when the node that served it is gone: the files of a
 * build from the first visit on, the page as it was last served. It answers for no other address: music and the API
 * stay with `shared/http.ts`, which knows of the other nodes.
 */
import { cleanupOutdatedCaches, precacheAndRoute } from 'workbox-precaching'
import { createPartialResponse } from 'workbox-range-requests'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { NetworkFirst } from 'workbox-strategies'
import { KEPT, keptPath } from '../offline/kept'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

const PAGE = 'page'
const PATIENCE_S = 3

cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST)
// Not among the files of the build: its Content-Security-Policy names the ring's nodes, which change.
const page = new NetworkFirst({
  cacheName: PAGE,
  networkTimeoutSeconds: PATIENCE_S,
  plugins: [{ cacheKeyWillBeUsed: () => Promise.resolve('/') }],
})
registerRoute(new NavigationRoute(page, { denylist: [/^\/api\//] }))
// Albums that somebody keeps here, put into the cache by the page, whole; players ask for ranges of them.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith(keptPath('')),
  async ({ request, url }) => {
    const song = await (await caches.open(KEPT)).match(url.pathname)
    if (!song) return new Response(null, { status: 404 })
    return request.headers.has('Range') ? createPartialResponse(request, song) : song
  },
)
void self.skipWaiting()
// The visit that brought this worker has its page from elsewhere: fetch it once more, to have it.
const ready = async (): Promise<void> => {
  await (await caches.open(PAGE)).add('/')
  await self.clients.claim()
}
self.addEventListener('activate', (event) => event.waitUntil(ready()))
