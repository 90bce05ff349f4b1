import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalName, canonicalSubject } from '../../lib/protocol/client/distinguishedName.ts'
import { makeCertificate } from '../helpers/certificates.ts'

describe('a distinguished name', () => {
  for (const [a, b] of [
    ['CN=till,O=Bank,C=DE', 'cn = till , o = Bank ; C=DE'],
    ['CN=till', '2.5.4.3=till'],
    ['CN=till', 'CN=#0c0474696c6c'],
    ['2.5.4.97=PSDDE-1', 'organizationIdentifier=PSDDE-1'],
    ['1.3.6.1.4.1.311.60.2.1.3=#13024445', 'jurisdictionC=DE'],
    ['E=a@b.example', 'emailAddress=a@b.example'],
    ['O=Corner\\, Bank', 'O=Corner\\2C Bank'],
    ['O=M\\C3\\BCller', 'O=Müller'],
    ['CN=a+OU=b', 'OU=b + CN=a'],
    ['CN=x\\\\ ', 'CN=x\\5c'],
  ] as const) {
    it(`is the same as ${a} and ${b}`, () => {
      expect(canonicalName(a)).to.equal(canonicalName(b)).and.not.equal(undefined)
    })
  }

  for (const [a, b] of [
    ['CN=till,O=Bank', 'O=Bank,CN=till'],
    ['CN=till,O=Bank', 'CN=till\\,O=Bank'],
    ['CN=till,O=Bank', 'CN=till+O=Bank'],
    ['CN=till', 'CN=Till'],
    ['CN=till', 'OU=till'],
    ['CN=till', 'CN=till\\ '],
    ['CN=till', 'CN=till,CN=till'],
    ['CN=\\#0c0474696c6c', 'CN=#0c0474696c6c'],
  ] as const) {
    it(`is another one as ${a} than as ${b}`, () => {
      expect(canonicalName(a)).not.to.equal(canonicalName(b))
    })
  }

  for (const text of ['', 'till', 'CN', '=till', 'CN=till,', 'CN="till"', 'CN=till\\', 'CN=#05', 'CN=#0c0574696c6c']) {
    it(`is not ${JSON.stringify(text)}`, () => expect(canonicalName(text)).to.equal(undefined))
  }

  for (const [subject, registered] of [
    ['/C=DE/O=Corner Bank/CN=till', 'CN=till,O=Corner Bank,C=DE'],
    ['/C=DE/O=Corner, "Bank" \\+ Co\\\\/CN=#till', 'CN=\\#till,O=Corner\\, \\"Bank\\" \\+ Co\\\\,C=DE'],
    ['/O=Bank/CN= a\\/b=c;d<e> ', 'CN=\\ a/b=c\\;d\\<e\\>\\ ,O=Bank'],
    ['/O=Bank/CN=till+UID=7', 'UID=7+CN=till,O=Bank'],
    [
      '/jurisdictionC=DE/businessCategory=Private/organizationIdentifier=PSDDE-1/serialNumber=5/DC=bank/ST=x/UID=u/CN=t',
      'CN=t,UID=u,ST=x,DC=bank,2.5.4.5=5,2.5.4.97=PSDDE-1,2.5.4.15=#0c0750726976617465,1.3.6.1.4.1.311.60.2.1.3=DE',
    ],
  ] as const) {
    it(`is read from a certificate of ${subject}`, () => {
      const { subject: printed } = new X509Certificate(makeCertificate({ subject }).cert)
      expect(canonicalSubject(printed)).to.equal(canonicalName(registered)).and.not.equal(undefined)
    })
  }

  it('keeps any value apart from any other', () => {
    const bytes = (value: string) => [...Buffer.from(value)].map((b) => `\\${b.toString(16).padStart(2, '0')}`).join('')
    const value = fc.string({ unit: 'binary', minLength: 1 })
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(canonicalName(`CN=${bytes(a)},O=${bytes(b)}`)).to.equal(
          `2.5.4.3=${JSON.stringify(a)},2.5.4.10=${JSON.stringify(b)}`,
        )
      }),
    )
  })

  it('threat 47 is read in a time that grows with its length alone', () => {
    const started = performance.now()
    for (const part of [' ', '\\', '\\\\', 'A', '"', '=', '+', '#', 'CN= ']) canonicalName(`CN=${part.repeat(60_000)}"`)
    expect(performance.now() - started).to.be.lessThan(500)
  })
})
