import type { Page } from 'playwright-core'

/** The elements of each document with the names of their attributes, as a browser's parser sees them. */
export function shapesOf(page: Page, documents: readonly string[]): Promise<readonly string[]> {
  return page.evaluate(`${JSON.stringify(documents)}.map((text) =>
    [...new DOMParser().parseFromString(text, 'text/html').querySelectorAll('*')]
      .map((each) => each.tagName + '[' + each.getAttributeNames().join() + ']')
      .join(' '))`)
}
