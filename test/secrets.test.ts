import { expect } from 'chai'
import { idOf, newHandle, newId } from '../lib/secrets.ts'

describe('handles', () => {
  // more than the random bytes that are fetched ahead at a time, several times over
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
