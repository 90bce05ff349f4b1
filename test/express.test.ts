import { expect } from 'chai'
import express from 'express'

describe('this run', () => {
  it(`is on Express ${process.env.EXPRESS ?? '5'}`, () => {
    // Express 4 exports `query`, Express 5 does not
    expect('query' in express).to.equal(process.env.EXPRESS === '4')
  })
})
