/**
 * A full provider from one JSON file: `npm run op -- config.json`. It prints one line of JSON with everything that a
 * test, a measurement or a conformance suite needs, and serves until SIGTERM.
 */
import { readConfig } from './config.ts'
import { startProvider } from './provider.ts'

const provider = await startProvider(readConfig(process.argv[2]))
console.log(JSON.stringify(provider.description))

const stop = () => void provider.close().then(() => process.exit(0))
process.once('SIGTERM', stop).once('SIGINT', stop)
if (process.env.BENCH_PARENT === '1') process.stdin.resume().once('end', stop)
