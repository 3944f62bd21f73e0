/** Looks for texts that are hard to read. */
import type { Page } from 'playwright'

/** WCAG AA for text of usual size. */
const LEAST = 4.5

/** The visible texts of a page whose contrast with what lies behind them is too low, with their contrast. */
export function poorContrasts(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!

    /** Any CSS colour as red, green, blue and alpha, 0 … 255. */
    function rgba(color: string): Uint8ClampedArray {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      return canvas.getImageData(0, 0, 1, 1).data
    }

    function luminance(color: Uint8ClampedArray): number {
      const [r, g, b] = [...color].map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
    }

    function behind(element: Element | null): Uint8ClampedArray {
      if (element === null) return rgba('white')
      const color = rgba(getComputedStyle(element).backgroundColor)
      return color[3] === 255 ? color : behind(element.parentElement)
    }

    const isShown = (element: Element) =>
      element.checkVisibility() &&
      element.getBoundingClientRect().width > 1 &&
      element.closest('canvas, noscript') === null
    const hasText = (element: Element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '')
    return [...document.querySelectorAll('body *')]
      .filter((one) => hasText(one) && isShown(one))
      .flatMap((element) => {
        const [text, ground] = [rgba(getComputedStyle(element).color), behind(element)].map(luminance)
        const contrast = (Math.max(text!, ground!) + 0.05) / (Math.min(text!, ground!) + 0.05)
        return contrast >= least ? [] : [`${contrast.toFixed(2)} ${element.textContent?.trim().slice(0, 40)}`]
      })
  }, LEAST)
}
