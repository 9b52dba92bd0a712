/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url'
import tailwind from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** A node of a ring that runs, for `make player-dev`. */
const node = process.env.RINGNODE_URL ?? 'https://127.0.0.1:7701'

export default defineConfig({
  plugins: [vue(), tailwind()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  define: { __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: { outDir: '../api/built', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  server: { proxy: { '/api': { target: node, secure: false, changeOrigin: true } } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], restoreMocks: true },
})
