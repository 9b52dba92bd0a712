/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url'
import tailwind from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

/** A node of a ring that runs, for `make player-dev`. */
const node = process.env.RINGNODE_URL ?? 'https://127.0.0.1:7701'

export default defineConfig({
  plugins: [
    vue(),
    tailwind(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/app',
      filename: 'worker.ts',
      injectRegister: null,
      injectManifest: { globPatterns: ['**/*.{js,css,svg}'] },
      manifest: {
        name: 'ringnode',
        short_name: 'ringnode',
        description: 'Your music, on machines that do not lose it',
        display: 'standalone',
        background_color: '#11161a',
        theme_color: '#0f4a45',
        icons: [{ src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
      },
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  define: { __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: { outDir: '../api/built', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  server: { proxy: { '/api': { target: node, secure: false, changeOrigin: true } } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], restoreMocks: true },
})
