import type { AddressInfo } from 'node:net'
import type { Server } from 'node:tls'
import { expect } from 'chai'
import { makeServerCertificate } from '../helpers/certificates.ts'
import { catalogue } from './checks/catalogue.ts'
import { authTypes, modes } from './config.ts'
import { collect } from './findings.ts'
import { modulesFor } from './plan.ts'
import { strayResult } from './run.ts'
import { answers } from './selftest/answers.ts'
import type { Case } from './selftest/cases.ts'
import { documents } from './selftest/documents.ts'
import { idTokens } from './selftest/idTokens.ts'
import { moduleCases } from './selftest/moduleCases.ts'
import { parrots, runCase, runParrot, strayFindings } from './selftest/runCase.ts'
import { listen, tlsCases } from './selftest/tls.ts'

const { server: certificate } = makeServerCertificate()
const strict = { ...certificate, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' }
const cases: readonly Case[] = [...answers, ...idTokens, ...documents, ...tlsCases(() => certificate)]

describe('the conformance harness', () => {
  let server: Server
  let tls: string

  before(async () => {
    server = await listen(strict)
    tls = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  after(() => void server.close())

  describe('checks', () => {
    for (const { check, what, run } of cases) {
      it(`${check === 'nothing' ? 'lets pass' : check}: ${what}`, async () => {
        const seen = (await collect(await run())).map((finding) => finding.check)
        if (check === 'nothing') expect(seen).to.deep.equal([])
        else expect(seen).to.include(check)
      })
    }

    it('N6 stray call: a call nobody waited for', () => {
      expect(strayFindings().map(({ check }) => check)).to.deep.equal(['N6 stray call'])
      expect(strayResult({ strays: [] })).to.equal(undefined)
    })

    it('has broken each check of the catalogue', () => {
      const broken = new Set([
        'N6 stray call',
        ...cases.map(({ check }) => check),
        ...moduleCases.map(({ check }) => check),
      ])
      expect(Object.keys(catalogue).filter((check) => !broken.has(check as keyof typeof catalogue))).to.deep.equal([])
    })
  })

  describe('modules', () => {
    for (const each of moduleCases) {
      it(`${each.module} ${each.check === 'nothing' ? 'lets pass' : each.check}: ${each.what}`, async () => {
        const seen = (await runCase(each, tls)).findings.map(({ check }) => check)
        if (each.check === 'nothing') expect(seen).to.deep.equal([])
        else expect(seen).to.include(each.check)
      })
    }

    it('are as many as in the plan', () => {
      const counts = modes.flatMap((mode) => authTypes.map((auth) => modulesFor(auth, mode).length))
      expect(counts).to.deep.equal([35, 33, 40, 38])
    })

    for (const mode of modes) {
      for (const auth of authTypes) {
        it(`can each fail: ${mode} with ${auth}`, async () => {
          for (const { id } of modulesFor(auth, mode)) {
            if (id === 'M01') continue // the discovery document has its own cases above
            const verdicts = []
            for (const parrot of Object.values(parrots)) {
              verdicts.push((await runParrot(id, mode, auth, parrot, tls)).verdict)
            }
            expect(verdicts, id).to.include('FAILED')
          }
        })
      }
    }
  })
})
