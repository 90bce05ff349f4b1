/** The optional peer `qrcode`. */
type QrCode = typeof import('qrcode')

const appearance = { errorCorrectionLevel: 'M', margin: 4 } as const

/**
 * A link as a QR code, for a screen: SVG text. Needs the package `qrcode`.
 * @throws TypeError when `qrcode` is not installed.
 * @example
 * ```ts
 * const { link } = await startRequest() // the client's answer, where the link channel is used
 * res.type('svg').send(await qrSvg(link))
 * ```
 */
export async function qrSvg(link: string): Promise<string> {
  return (await load()).toString(link, { ...appearance, type: 'svg' })
}

/**
 * A link as a QR code, for print or an app: PNG bytes. Needs the package `qrcode`.
 * @param options.width Pixels. Defaults to 320.
 * @throws TypeError when `qrcode` is not installed.
 * @example
 * ```ts
 * res.type('png').send(await qrPng(link, { width: 480 }))
 * ```
 */
export async function qrPng(link: string, { width = 320 }: { readonly width?: number } = {}): Promise<Buffer> {
  return (await load()).toBuffer(link, { ...appearance, type: 'png', width })
}

/**
 * A link as a QR code for a terminal. `undefined` where `qrcode` is not installed.
 * @example
 * ```ts
 * console.log((await qrTerminal(link)) ?? link)
 * ```
 */
export async function qrTerminal(link: string): Promise<string | undefined> {
  const qrCode = await load().catch(() => undefined)
  return qrCode?.toString(link, { type: 'terminal', small: true, errorCorrectionLevel: 'L' })
}

async function load(): Promise<QrCode> {
  try {
    const loaded: QrCode & { readonly default?: QrCode } = await import('qrcode')
    return loaded.default ?? loaded
  } catch (cause) {
    throw new TypeError('express-ciba: QR codes need the package "qrcode"; run "npm install qrcode"', { cause })
  }
}
