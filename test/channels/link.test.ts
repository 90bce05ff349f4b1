import { expect } from 'chai'
import { consoleChannel, linkChannel } from 'express-ciba'
import { qrPng, qrSvg } from 'express-ciba/qr'
import { noticeWith } from '../helpers/notice.ts'

const { link } = noticeWith()

describe('the link channel', () => {
  it('reaches everybody and sends nothing', async () => {
    const channel = linkChannel()
    expect(channel.returnsLink).to.equal(true)
    expect(channel.address({ sub: 'a' })).to.equal('')
    expect(await channel.send(noticeWith())).to.equal(undefined)
  })

  it('comes with the link as QR code', async () => {
    expect(await qrSvg(link)).to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg".*<\/svg>\s*$/s)
    const png = await qrPng(link, { width: 200 })
    expect(png.subarray(0, 8).toString('hex')).to.equal('89504e470d0a1a0a')
    expect(png.readUInt32BE(16)).to.equal(200)
  })
})

describe('the console channel', () => {
  it('prints who is asked, by whom, and the link', async () => {
    const printed: string[] = []
    const channel = consoleChannel({ print: (text) => printed.push(text), qr: false })
    expect(channel.standsIn).to.equal(true)
    await channel.send(noticeWith({ to: 'alice', bindingMessage: 'W4SCT' }))
    expect(printed).to.deep.equal([
      `\n[express-ciba] for alice, from Corner Bank till (W4SCT):\nTo verify it's you, click this link: ${link}\n`,
    ])
  })

  it('draws a QR code on a terminal', async () => {
    const printed: string[] = []
    await consoleChannel({ print: (text) => printed.push(text), qr: true }).send(noticeWith())
    expect(printed[0]).to.match(/[▀▄█]{10}/)
  })
})
