import { carries, type Notification } from './checks/notification.ts'

/** How a notification endpoint answers. */
export interface Reaction {
  readonly status: number
  readonly body?: string
  /** Sends the caller on to the wrong path. */
  readonly redirect?: true
}

/** A module that waits at the notification endpoint for calls of its own. */
export interface Guest {
  readonly id: number
  readonly token: string
  readonly reaction: Reaction
  /** Known once the server has issued it. */
  authReqId?: string
  readonly calls: Notification[]
  /** Calls to the place that only a redirect names. */
  readonly followed: Notification[]
  /** Resolves with the first call. */
  readonly arrived: Promise<Notification>
  arrive(call: Notification): void
}

export type Guests = ReturnType<typeof createGuests>

/** Who waits for a call. Modules that run at the same time share one endpoint. */
export function createGuests() {
  const guests: Guest[] = []
  return {
    /** Waits for calls that carry this token. */
    expect(token: string, reaction: Reaction): Guest {
      let first: (call: Notification) => void = () => {}
      const arrived = new Promise<Notification>((resolve) => {
        first = resolve
      })
      const calls: Notification[] = []
      const guest: Guest = {
        id: guests.length + 1,
        token,
        reaction,
        calls,
        followed: [],
        arrived,
        arrive(call) {
          calls.push(call)
          first(call)
        },
      }
      guests.push(guest)
      return guest
    },
    /** Whose call this is: by the number in a redirect, by its token, else by its `auth_req_id`. */
    hostOf(call: Notification, id?: number): Guest | undefined {
      return (
        guests.find((guest) => guest.id === id) ??
        guests.find(({ token }) => carries(call, token)) ??
        guests.find(({ authReqId }) => authReqId !== undefined && call.body.includes(authReqId))
      )
    },
  }
}
