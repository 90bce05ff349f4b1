export { type ContractCase, type ContractOptions, storeContract } from './storeContract.ts'
