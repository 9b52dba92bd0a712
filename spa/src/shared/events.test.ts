import { expect, it } from 'vitest'
import { Reader } from './events'

it('gives events when they are whole, however they are cut', () => {
  const text = ': hello\n\nid: 3f-1\nevent: node\ndata: {"name": "attic",\ndata: "state": "up"}\n\nevent: repair\ndata: {"todo": 2}\n\nevent: x\ndata: {'
  for (let cut = 1; cut < text.length; cut++) {
    const reader = new Reader()
    const news = [...reader.take(text.slice(0, cut)), ...reader.take(text.slice(cut))]
    expect(news).toEqual([
      { event: 'node', id: '3f-1', data: { name: 'attic', state: 'up' } },
      { event: 'repair', id: '', data: { todo: 2 } },
    ])
  }
})

it('leaves out what is no event', () => {
  expect(new Reader().take('event: x\ndata: {no json\n\ndata: {}\n\n')).toEqual([])
})
