import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

const shots = fileURLToPath(new URL('../browser/shots/', import.meta.url))

/** The system's Chromium: the variable CHROMIUM, else where distributions put it. */
export function chromiumPath(): string | undefined {
  const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  return candidates.find((path) => path !== undefined && existsSync(path))
}

/** Starts a real browser, without the network calls it makes for itself. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath() ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Skips the suite, loudly, where there is no browser. */
export function needsBrowser(context: Mocha.Context): void {
  if (chromiumPath() !== undefined) return
  console.log('SKIPPED: no Chromium found; set CHROMIUM to its path')
  context.skip()
}

/** Clicks on what leads to another page, and waits until all of that is there. */
export async function follow(link: Locator): Promise<void> {
  await Promise.all([link.page().waitForEvent('load'), link.click()])
}

/** Keeps a picture of the page for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: `${shots}${name}.png`, fullPage: true })
}
