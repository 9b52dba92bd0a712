import { mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { opened, vMenu, type Item } from './menu'

const asked = vi.fn((): Item[] => [{ label: 'Play', run: () => undefined }])
const shown = (template: string) =>
  mount({ directives: { menu: vMenu }, setup: () => ({ asked }), template }, { attachTo: document.body })
const finger = (type: string): Event => Object.assign(new MouseEvent(type, { bubbles: true }), { pointerType: 'touch' })

afterEach(() => {
  opened.value = null
  asked.mockClear()
  vi.useRealTimers()
})

describe('a menu', () => {
  it('opens by a click on its button, which closes it again', async () => {
    const page = shown('<button v-menu="asked">More</button>')
    expect(asked).not.toHaveBeenCalled()
    await page.trigger('click')
    expect(opened.value).toMatchObject({ from: page.element, at: page.element, items: [{ label: 'Play' }] })
    await page.trigger('click')
    expect(opened.value).toBeNull()
    await page.trigger('keydown', { key: 'ArrowDown' })
    expect(opened.value?.from).toBe(page.element)
    page.unmount()
    expect(opened.value).toBeNull()
  })

  it('opens where the right button was pressed, and gives the focus back to what had it', async () => {
    const page = shown('<ul v-menu.context="asked"><li tabindex="0">One</li></ul>')
    const line = page.get('li').element as HTMLElement
    line.focus()
    await page.get('li').trigger('contextmenu', { clientX: 7, clientY: 9 })
    expect(opened.value?.back).toBe(line)
    expect(opened.value?.at).not.toBe(page.element)
    page.unmount()
  })

  it('opens under a finger that rests, not under one that moves on', () => {
    vi.useFakeTimers()
    const page = shown('<ul v-menu.context="asked"><li>One</li></ul>')
    const line = page.get('li').element
    line.dispatchEvent(finger('pointerdown'))
    line.dispatchEvent(finger('pointermove'))
    vi.runAllTimers()
    expect(opened.value).toBeNull()
    line.dispatchEvent(finger('pointerdown'))
    vi.runAllTimers()
    expect(opened.value?.from).toBe(page.element)
    page.unmount()
  })

  it('takes a function that has changed meanwhile', async () => {
    const page = mount(
      { directives: { menu: vMenu }, props: ['items'], template: '<button v-menu="items">More</button>' },
      { props: { items: [] as Item[] } },
    )
    await page.setProps({ items: asked() })
    await page.trigger('click')
    expect(opened.value?.items).toHaveLength(1)
    page.unmount()
  })
})
