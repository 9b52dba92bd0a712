import { expect, it } from 'vitest'
import { Nodes } from './nodes'

it('asks home first, and a node that failed last, for a while', () => {
  let now = 0
  const nodes = new Nodes('http://a', () => now)
  nodes.learn(['http://b:80/', 'http://A', 'http://c', ''])
  expect(nodes.inOrder()).toEqual(['http://a', 'http://b', 'http://c'])
  nodes.failed('http://a')
  expect(nodes.inOrder()).toEqual(['http://b', 'http://c', 'http://a'])
  now = 40_000
  expect(nodes.inOrder()[0]).toBe('http://a')
  nodes.failed('http://a')
  nodes.answered('http://a')
  expect(nodes.inOrder()[0]).toBe('http://a')
})
