export { type CibaFeature, type CibaFeatureOptions, createCibaFeature } from '../oidcProvider/feature.ts'
