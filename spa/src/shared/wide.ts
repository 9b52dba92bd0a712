import { useMediaQuery } from '@vueuse/core'

/** Is there room for more than a phone shows? What has none is not made at all, where it would cost time. As the styles' `md`. */
export const wide = useMediaQuery('(min-width: 48rem)')
