// Runs in a project that has installed the package: names the members of an engine, and walks over everything that can be
// reached from it and from its routers.
import { createBackchannel, createBackchannelRouter, inProcessQueue, memoryStore } from 'express-ciba'
import { createManagementRouter } from 'express-ciba/authlete'

const secret = 'a secret that is not to be reached by a router'
const hooks = {
  clients: { find: () => undefined },
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: () => '/login', verifyToken: () => undefined },
  store: memoryStore(),
  logger: { info() {}, warn() {}, error() {} },
}
const queue = inProcessQueue()
const options = {
  issuer: 'https://login.example.com',
  ...hooks,
  secret,
  delivery: { modes: ['poll', 'ping', 'push'], queue },
}
const engine = createBackchannel(options)
const router = createBackchannelRouter(engine)
const marker = () => {}
router.get('/marker', marker)
const management = createManagementRouter(engine, { authorize: () => false })

const kinds = [Object, Function, (async () => {}).constructor, Array, Promise, Map, Set, RegExp, Error, Uint8Array]
const builtIn = new Set(kinds.map((each) => each.prototype))
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
const usual = ['length', 'name', 'prototype']

/** Own members and those of prototypes, to the bottom. */
function membersOf(value, path = '') {
  const members = []
  for (let each = value; each !== null && !builtIn.has(each); each = Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) {
      if (typeof each === 'function' && usual.includes(key)) continue
      const member = Object.getOwnPropertyDescriptor(each, key)?.value
      members.push(path + String(key))
      if (isObject(member)) members.push(...membersOf(member, `${path}${String(key)}.`))
    }
  }
  return members
}

/** Everything that can be reached, by the path to it: members of all kinds, what maps and sets hold, and prototypes. */
function reachedFrom(start) {
  const reached = new Map()
  const queued = [['', start]]
  for (const [path, value] of queued) {
    if (reached.has(value) || builtIn.has(value)) continue
    reached.set(value, path)
    if (!isObject(value)) continue
    queued.push([`${path}.__proto__`, Object.getPrototypeOf(value)])
    for (const key of Reflect.ownKeys(value)) {
      const { value: member, get } = Object.getOwnPropertyDescriptor(value, key)
      queued.push([`${path}.${String(key)}`, get ?? member])
    }
    if (value instanceof Map || value instanceof Set) for (const each of value) queued.push([`${path}[]`, each])
  }
  return reached
}

const reached = reachedFrom({ router, management, engine })
const plugged = [...Object.values(hooks), queue]
const inside = [secret, options, ...plugged, ...plugged.flatMap((each) => Object.values(each))]
const contextMembers = ['vault', 'store', 'signingKeys', 'clientKeys', 'tokenHooks', 'budgets', 'mintings', 'outbound']
const isContext = (value) => isObject(value) && contextMembers.some((name) => Object.hasOwn(value, name))
console.log(
  JSON.stringify({
    members: membersOf(router.backchannel),
    isFrozen: { engine: Object.isFrozen(engine), deliveries: Object.isFrozen(engine.deliveries) },
    reachesHandlers: reached.has(marker) && reached.has(engine),
    leaked: inside.filter((each) => reached.has(each)).map((each) => reached.get(each)),
    contexts: [...reached].filter(([value]) => isContext(value)).map(([, path]) => path),
  }),
)
await engine.close()
