import { memoryStore } from 'express-ciba'
import { keyvStore } from 'express-ciba/stores/keyv'
import { storeContract } from 'express-ciba/testing'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'

describe('the store contract', () => {
  describe('memoryStore', () => {
    for (const { name, run } of storeContract({ open: () => memoryStore() })) it(name, run)
  })

  describe('keyvStore in memory', () => {
    for (const { name, run } of storeContract({ open: () => keyvStore(new Keyv()) })) it(name, run)
  })

  describe('keyvStore in memory, Keyv 6', () => {
    for (const { name, run } of storeContract({ open: () => keyvStore(new Keyv6()) })) it(name, run)
  })
})
