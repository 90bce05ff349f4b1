import type { OpenBus } from '../pubsub.ts'
import type { ListeningClient, PoolLike, Run } from './pool.ts'

/** Milliseconds between two tries to listen again. */
const reconnectDelayMs = 1000

/** LISTEN and NOTIFY, on one connection of the pool. A connection that is lost is replaced. */
export function postgresBus(pool: PoolLike, run: Run, schema: string): OpenBus {
  const channel = `${schema}_answers`
  const notify = { name: `${schema}.publish`, text: 'SELECT pg_notify($1, $2)' }

  return (subscriber) => {
    let client: ListeningClient | undefined
    let timer: NodeJS.Timeout | undefined
    let isClosed = false

    /** Destroys the connection: one that listens must not go back to the pool. */
    function drop(which: ListeningClient): void {
      if (client !== which) return
      client = undefined
      which.release(true)
      subscriber.onDisconnect()
      reconnectLater()
    }

    function reconnectLater(): void {
      if (!isClosed) timer = setTimeout(connect, reconnectDelayMs).unref()
    }

    async function connect(): Promise<void> {
      let connected: ListeningClient
      try {
        connected = await pool.connect()
      } catch {
        return reconnectLater() // the verbs report the outage
      }
      client = connected
      connected.on('notification', ({ payload }) => payload !== undefined && subscriber.onAnswer(payload))
      for (const event of ['error', 'end'] as const) connected.on(event, () => drop(connected))
      try {
        await connected.query(`LISTEN ${channel}`)
      } catch {
        return drop(connected)
      }
      if (isClosed) drop(connected)
      else if (client === connected) subscriber.onConnect()
    }

    const connecting = connect()
    return {
      publish: async (request) => void (await run(notify, [channel, request])),
      async close() {
        isClosed = true
        clearTimeout(timer)
        await connecting
        if (client !== undefined) drop(client)
      },
    }
  }
}
