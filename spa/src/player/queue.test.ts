import { describe, expect, it } from 'vitest'
import { Queue, QUEUE_LIMIT, type QueueSong } from './queue'

const song = (id: string): QueueSong => ({
  id, title: id.toUpperCase(), artist: '', album: '', duration_s: 100, has_cover: false, mime: 'audio/mpeg',
}) // prettier-ignore
const songs = (ids: string): QueueSong[] => [...ids].map(song)
const ids = (queue: Queue): string => queue.entries.map((entry) => entry.song.id).join('')

/** The same dice in every run. */
function dice(seed: number): () => number {
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
}

function queueOf(all: string, at = 0): Queue {
  const queue = new Queue(undefined, dice(7))
  queue.set(songs(all), at)
  return queue
}

describe('going on', () => {
  it('ends after the last song, and goes round if all is repeated', () => {
    const queue = queueOf('ab', 1)
    expect(queue.following).toBeNull()
    expect(queue.next(false)).toBeNull()
    expect(queue.now?.song.id).toBe('b')
    queue.setRepeat('all')
    expect(queue.following?.song.id).toBe('a')
    expect(queue.next(false)?.song.id).toBe('a')
    expect(queue.previous()?.song.id).toBe('b')
  })

  it('repeats one song until somebody asks for the next', () => {
    const queue = queueOf('ab')
    queue.setRepeat('one')
    expect(queue.next(false)?.song.id).toBe('a')
    expect(queue.next(true)?.song.id).toBe('b')
  })

  it('keeps the order of another device, where it was mixed already', () => {
    const queue = queueOf('')
    queue.setShuffle(true)
    queue.set(songs('gbdafce'), 2, true)
    expect([ids(queue), queue.now?.song.id, queue.following?.song.id]).toEqual(['gbdafce', 'd', 'a'])
    queue.setShuffle(false)
    expect([ids(queue), queue.now?.song.id]).toEqual(['gbdafce', 'd'])
  })

  it('stays at the first song when it goes back, and is empty without songs', () => {
    expect(queueOf('ab').previous()?.song.id).toBe('a')
    const empty = new Queue()
    expect([empty.previous(), empty.next(true), empty.now, empty.following]).toEqual([null, null, null, null])
  })
})

describe('adding', () => {
  it('puts songs at the end or behind the present one', () => {
    const queue = queueOf('abc', 1)
    queue.add(songs('z'))
    queue.addNext(songs('xy'))
    expect(ids(queue)).toBe('abxycz')
    expect(queue.now?.song.id).toBe('b')
  })

  it('starts at the first song added to an empty queue', () => {
    const queue = new Queue()
    queue.addNext(songs('ab'))
    expect(queue.now?.song.id).toBe('a')
  })

  it('takes no more than its limit and says how many', () => {
    const queue = queueOf('a')
    expect(queue.add(Array.from({ length: QUEUE_LIMIT }, () => song('b')))).toBe(QUEUE_LIMIT - 1)
    expect(queue.addNext(songs('c'))).toBe(0)
  })
})

describe('changing', () => {
  it('keeps the present song while others are taken out or moved', () => {
    const queue = queueOf('abcde', 2)
    queue.remove([queue.entries[0]!.uid, queue.entries[4]!.uid])
    expect([ids(queue), queue.now?.song.id]).toEqual(['bcd', 'c'])
    queue.move(queue.entries[1]!.uid, 9)
    expect([ids(queue), queue.now?.song.id, queue.current]).toEqual(['bdc', 'c', 2])
  })

  it('stands at the next song that stays when the present one is taken out', () => {
    const queue = queueOf('abc', 1)
    queue.remove([queue.entries[1]!.uid])
    expect(queue.now?.song.id).toBe('c')
    queue.remove([queue.entries[1]!.uid])
    expect(queue.now?.song.id).toBe('a')
    queue.clear()
    expect([queue.now, queue.current]).toEqual([null, -1])
  })
})

describe('taking out the present song', () => {
  const without = (queue: Queue): boolean => queue.remove([queue.now!.uid])

  it('goes on with what would have followed', () => {
    const queue = queueOf('abc', 1)
    expect([without(queue), queue.now?.song.id]).toEqual([true, 'c'])
  })

  it('does not go on with the one before when it was the last', () => {
    const queue = queueOf('abc', 2)
    expect([without(queue), queue.now?.song.id]).toEqual([false, 'b'])
    queue.setRepeat('one')
    expect([without(queue), queue.now?.song.id]).toEqual([false, 'a'])
    expect([without(queue), queue.now]).toEqual([false, null])
  })

  it('goes round if all is repeated', () => {
    const queue = queueOf('abc', 2)
    queue.setRepeat('all')
    expect([without(queue), queue.now?.song.id]).toEqual([true, 'a'])
  })

  it('says that it goes on where another one was taken out', () => {
    const queue = queueOf('abc', 2)
    expect([queue.remove([queue.entries[0]!.uid]), queue.now?.song.id]).toEqual([true, 'c'])
  })
})

describe('shuffle', () => {
  it('plays every song once, the present one first, and can be taken back', () => {
    const queue = queueOf('abcdefgh', 3)
    queue.setShuffle(true)
    expect(queue.current).toBe(0)
    expect(queue.now?.song.id).toBe('d')
    expect([...ids(queue)].sort().join('')).toBe('abcdefgh')
    expect(ids(queue)).not.toBe('dabcefgh')
    queue.next(true)
    const second = queue.now
    queue.setShuffle(false)
    expect(ids(queue)).toBe('abcdefgh')
    expect(queue.now?.uid).toBe(second?.uid)
  })

  it('gives what was added meanwhile its place behind the song it was added to', () => {
    const queue = queueOf('abcd', 1)
    queue.setShuffle(true)
    queue.addNext(songs('xy'))
    expect(ids(queue).slice(0, 3)).toBe('bxy')
    queue.add(songs('z'))
    queue.setShuffle(false)
    expect(ids(queue)).toBe('abxycdz')
  })
})

it('is there again after a reload, as it was', () => {
  const queue = queueOf('abcde', 2)
  queue.setShuffle(true)
  queue.setRepeat('all')
  queue.next(true)
  const again = new Queue()
  again.restore(JSON.parse(JSON.stringify(queue.saved())))
  expect([ids(again), again.now?.song.id, again.repeat]).toEqual([ids(queue), queue.now?.song.id, 'all'])
  again.setShuffle(false)
  expect(ids(again)).toBe('abcde')
})

it('tells of every change once', () => {
  let told = 0
  const queue = new Queue(() => told++)
  queue.set(songs('abc'))
  queue.next(true)
  queue.setShuffle(true)
  queue.setShuffle(true)
  queue.move(queue.entries[0]!.uid, 2)
  queue.remove([queue.entries[0]!.uid])
  expect(told).toBe(5)
})
