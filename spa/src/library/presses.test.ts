import { expect, it } from 'vitest'
import { Presses, type Around } from './presses'

/** A ring whose answers wait until the test gives them. */
function ring() {
  const [shown, kept] = [new Set<string>(), new Set<string>()]
  const sent: string[] = []
  const answers: ((takes: boolean) => void)[] = []
  const put = (set: Set<string>, ids: readonly string[], on: boolean): void => ids.forEach((id) => set[on ? 'add' : 'delete'](id))
  const around: Around<boolean> = {
    has: (id) => shown.has(id),
    show: (ids, on) => put(shown, ids, on),
    send: (ids, on) => {
      sent.push((on ? '+' : '-') + ids.join(''))
      return new Promise<void>((done, fail) => answers.push((takes) => (takes ? done(put(kept, ids, on)) : fail(new Error('no')))))
    },
  }
  const presses = new Presses<boolean>()
  return { shown, kept, sent, answers, press: (ids: string, on: boolean) => presses.press([...ids], on, around) }
}

const soon = (): Promise<void> => new Promise((done) => setTimeout(done))

it('the last press wins: it waits for the one under way, and those between are not sent', async () => {
  const { shown, kept, sent, answers, press } = ring()
  const pressed = [press('a', true)]
  await soon()
  pressed.push(press('a', false), press('a', true), press('a', false))
  await soon()
  expect([[...shown], sent]).toEqual([[], ['+a']])
  answers[0]!(true)
  await soon()
  answers[1]!(true)
  await Promise.all(pressed)
  expect([[...shown], [...kept], sent]).toEqual([[], [], ['+a', '-a']])
})

it('a press that fails takes nothing back that was pressed since', async () => {
  const { shown, kept, answers, press } = ring()
  const first = press('ab', true)
  await soon()
  const later = [press('a', false), press('a', true)]
  answers[0]!(false)
  await expect(first).rejects.toThrow('no')
  expect([...shown]).toEqual(['a'])
  await soon()
  answers[1]!(true)
  await Promise.all(later)
  expect([[...shown], [...kept]]).toEqual([['a'], ['a']])
})

it('where the last press fails, what the ring has is shown', async () => {
  const { shown, kept, answers, press } = ring()
  const first = press('a', true)
  await soon()
  const last = press('a', false)
  answers[0]!(true)
  await first
  await soon()
  answers[1]!(false)
  await expect(last).rejects.toThrow('no')
  expect([[...shown], [...kept]]).toEqual([['a'], ['a']])
  const again = [press('a', false), press('a', true)] // the first of them is never sent
  await soon()
  answers[2]!(false)
  await expect(Promise.all(again)).rejects.toThrow('no')
  expect([...shown]).toEqual(['a'])
})

it('other things do not wait', async () => {
  const { sent, press } = ring()
  void press('a', true)
  void press('b', true)
  await soon()
  expect(sent).toEqual(['+a', '+b'])
})
