import { expect, it, vi } from 'vitest'
import { useDoing } from './doing'
import { mistyped, Problem } from './problem'

it('says that something is under way, and why it failed until it is tried again', async () => {
  const told = vi.fn()
  const { busy, why, run } = useDoing(told)
  const failing = run(async () => {
    throw new Problem('invalid', 422, 'too short')
  })
  expect(busy.value).toBe(true)
  await failing
  expect([busy.value, why.value]).toEqual([false, 'too short'])
  expect(told).toHaveBeenCalledWith('too short')
  await run(async () => expect(why.value).toBe(''))
  expect([busy.value, why.value]).toEqual([false, ''])
  expect(told).toHaveBeenCalledOnce()
})

it('takes 401 for a mistyped password where one was asked for, and nothing else', async () => {
  const answered = (status: number) => Promise.reject(new Problem('x', status, 'as it was')).catch(mistyped('wrong password'))
  await expect(answered(401)).rejects.toMatchObject({ kind: 'mistyped', detail: 'wrong password' })
  await expect(answered(503)).rejects.toMatchObject({ detail: 'as it was' })
})
