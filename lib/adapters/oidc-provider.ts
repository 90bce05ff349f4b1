export { type CibaFeature, type CibaFeatureOptions, createCibaFeature } from '../complement.ts'
