import type { OpenLine } from '../pubsub.ts'
import type { ListeningClient, PoolLike, Run } from './pool.ts'

/** Milliseconds between two tries to listen again. */
const againMs = 1000

/** LISTEN and NOTIFY, on one connection of the pool. A connection that is lost is replaced. */
export function postgresLine(pool: PoolLike, run: Run, schema: string): OpenLine {
  const channel = `${schema}_answers`
  const tell = { name: `${schema}.tell`, text: 'SELECT pg_notify($1, $2)' }

  return (listener) => {
    let client: ListeningClient | undefined
    let timer: NodeJS.Timeout | undefined
    let isClosed = false

    /** Gives the connection up: nobody else may get one that listens. */
    function drop(which: ListeningClient): void {
      if (client !== which) return
      client = undefined
      which.release(true)
      listener.down()
      again()
    }

    function again(): void {
      if (!isClosed) timer = setTimeout(connect, againMs).unref()
    }

    async function connect(): Promise<void> {
      let connected: ListeningClient
      try {
        connected = await pool.connect()
      } catch {
        return again() // the verbs report that the server is away
      }
      client = connected
      connected.on('notification', ({ payload }) => payload !== undefined && listener.heard(payload))
      for (const event of ['error', 'end'] as const) connected.on(event, () => drop(connected))
      try {
        await connected.query(`LISTEN ${channel}`)
      } catch {
        return drop(connected)
      }
      if (isClosed) drop(connected)
      else if (client === connected) listener.up()
    }

    const connecting = connect()
    return {
      tell: async (request) => void (await run(tell, [channel, request])),
      async close() {
        isClosed = true
        clearTimeout(timer)
        await connecting
        if (client !== undefined) drop(client)
      },
    }
  }
}
