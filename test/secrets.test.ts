import { expect } from 'chai'
import { idOf, newHandle, newId } from '../lib/core/crypto/handles.ts'
import { createVault } from '../lib/core/crypto/vault.ts'

describe('handles', () => {
  const ids = Array.from({ length: 2_000 }, newId)
  const handles = ids.map(newHandle)

  it('are all different, in every part', () => {
    expect(new Set(ids)).to.have.lengthOf(2_000)
    const secrets = handles.map((each) => each.slice(16))
    const pieces = secrets.flatMap((each) => [each.slice(0, 14), each.slice(14, 28), each.slice(28, 42)])
    expect(new Set(pieces)).to.have.lengthOf(6_000)
  })

  it('lead to their record', () => {
    expect(handles.map(idOf)).to.deep.equal(ids)
  })
})

describe('names that stand for a text', () => {
  const vault = createVault(Buffer.alloc(32, 1))
  const name = vault.encryptSubject('alice', 'sub a.example')

  it('lead back to it, where they were given', () => {
    expect(vault.decryptSubject(name, 'sub a.example')).to.equal('alice')
    expect(vault.decryptSubject(name, 'sub b.example')).to.equal(undefined)
    expect(createVault(Buffer.alloc(32, 2)).decryptSubject(name, 'sub a.example')).to.equal(undefined)
  })

  it('stand for nothing once they are changed, cut or made up', () => {
    for (const other of ['', 'alice', name.slice(0, 24), `${name}AAAA`, `A${name.slice(1)}`, 'A'.repeat(name.length)])
      expect(vault.decryptSubject(other, 'sub a.example'), other).to.equal(undefined)
  })

  it('are not made of texts without end', () => {
    expect(() => vault.encryptSubject('x'.repeat(10_000), 'sub a.example')).to.throw('bytes has no pairwise name')
  })
})
