import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { useSession } from '@/auth/session'
import { fetchParts, settled } from '@/shared/later'
import { queries } from '@/shared/queries'
import App from './App.vue'
import { i18n, preferred, speak } from './i18n'
import { fetchPages, router } from './router'
import './style.css'

const AGAIN_MS = 2_000

async function start(): Promise<void> {
  const app = createApp(App)
  app.use(createPinia()).use(i18n).use(VueQueryPlugin, { queryClient: queries })
  await speak(preferred())
  await useSession().resume().catch(again)
  app.use(router).mount('#app')
  void settled.then(stay)
  await fetchParts()
}

/**
 * Have all code here before the node that served it may die. The service worker keeps it; where there can be none (plain
 * HTTP, a certificate that nobody trusts) the pages are loaded, which costs more.
 */
function stay(): void {
  if (!import.meta.env.PROD) return
  if (navigator.serviceWorker) navigator.serviceWorker.register('/worker.js').catch(fetchPages)
  else void fetchPages()
}

/** The node that served this page says nothing more: it may only be starting. */
async function again(): Promise<void> {
  await new Promise((done) => setTimeout(done, AGAIN_MS))
  await useSession().resume().catch(again)
}

void start()
