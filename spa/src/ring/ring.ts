/** The ring as its nodes tell it; also how the player knows where to go on when one dies. */
import { useQuery } from '@tanstack/vue-query'
import { watch, type MaybeRef } from 'vue'
import { api, data } from '@/shared/http'
import { keep } from '@/shared/kept'
import { nodes } from '@/shared/nodes'
import type { components } from '@/shared/schema'

export type NodeView = components['schemas']['NodeView']

const OFTEN_MS = 3_000
const SELDOM_MS = 30_000

export function useRing(often = false, enabled: MaybeRef<boolean> = true) {
  const { data: ring, error, refetch } = useQuery({
    queryKey: ['ring'],
    queryFn: () => data(api.GET('/ring')),
    enabled,
    refetchInterval: often ? OFTEN_MS : SELDOM_MS,
  })
  watch(
    ring,
    (now) => {
      if (!now) return
      const up = now.nodes.filter((node) => node.state === 'up').map((node) => node.api)
      nodes.learn(up)
      keep('nodes', up)
    },
    { immediate: true },
  )
  return { ring, error, refetch }
}
