export { type ContractCase, type ContractOptions, storeContract } from './testing/storeContract.ts'
