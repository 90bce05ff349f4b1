/** What is used of the optional peer `qrcode`. */
type QrCode = typeof import('qrcode')

const look = { errorCorrectionLevel: 'M', margin: 4 } as const

/** A link as a QR code, for a screen: SVG text. Needs the package `qrcode`. */
export async function qrSvg(link: string): Promise<string> {
  return (await load()).toString(link, { ...look, type: 'svg' })
}

/** A link as a QR code, for print or an app: PNG bytes. Needs the package `qrcode`. */
export async function qrPng(link: string, { width = 320 }: { readonly width?: number } = {}): Promise<Buffer> {
  return (await load()).toBuffer(link, { ...look, type: 'png', width })
}

/** A link as a QR code for a terminal, or nothing where `qrcode` is not installed. */
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
