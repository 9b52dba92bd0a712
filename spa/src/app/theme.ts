/** Light or dark: as the system has it, or as chosen here. `public/theme.js` does the same before the first paint. */
import { usePreferredDark } from '@vueuse/core'
import { computed, ref, watchEffect } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

const stored = localStorage.getItem('ringnode.theme')
export const theme = ref<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
const system = usePreferredDark()
export const dark = computed(() => (theme.value === 'system' ? system.value : theme.value === 'dark'))

watchEffect(() => {
  document.documentElement.classList.toggle('dark', dark.value)
  localStorage.setItem('ringnode.theme', theme.value)
})
