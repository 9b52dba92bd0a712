import { expect, it } from 'vitest'
import { clientName } from './client'

it('says which program on which system', () => {
  const mozilla = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
  expect(clientName(`${mozilla} Edg/126.0`)).toBe('Edge, Windows')
  expect(clientName(mozilla)).toBe('Chrome, Windows')
  expect(clientName('Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0')).toBe('Firefox, Android')
  expect(clientName('the car')).toBe('the car')
})
