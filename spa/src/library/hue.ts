/** The colour of a cover that is on the page, as a hue of OKLCH; null while it is not known, and of grey ones. */
import { ref, watch } from 'vue'
import { hueOf, perceived } from '@/player/accent'
import { coverUrl } from '@/player/player'
import { nodes } from '@/shared/nodes'

const SMALL = 128

export function useHue(album: () => { id: string; has_cover: boolean } | undefined) {
  const hue = ref<number | null>(null)
  watch(
    () => album()?.id,
    () => {
      const now = album()
      hue.value = null
      if (!now?.has_cover) return
      const image = new Image()
      image.crossOrigin = 'anonymous'
      image.onload = () => {
        const found = now === album() ? hueOf(image) : null
        if (found !== null) hue.value = perceived(found)
      }
      image.src = coverUrl(now, nodes.inOrder()[0] ?? nodes.home, 'albums', SMALL)
    },
    { immediate: true },
  )
  return hue
}
