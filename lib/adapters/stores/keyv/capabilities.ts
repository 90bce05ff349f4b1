/**
 * Backends of Keyv, by the name of their class, and whether their `delete` tells one caller only that the key was there.
 * Read in: @keyv/redis 5.1, @keyv/valkey 1.0, @keyv/mongo 3.1, @keyv/etcd 2.1, @keyv/memcache 2.0, @keyv/dynamo 1.2 (one
 * command that says what it removed); @keyv/postgres 2.2, @keyv/mysql 2.1, @keyv/sqlite 4.0 (look first, delete after).
 */
const deleteHasOneWinner: Readonly<Record<string, boolean>> = {
  Map: true,
  KeyvRedis: true,
  KeyvValkey: true,
  KeyvMongo: true,
  KeyvEtcd: true,
  KeyvMemcache: true,
  KeyvDynamo: true,
  KeyvPostgres: false,
  KeyvMysql: false,
  KeyvSqlite: false,
}

/** What cannot be promised on this kind of backend, if anything, and what to do about it. */
export function doubtAbout(kind: string): string | undefined {
  const known = deleteHasOneWinner[kind]
  if (known === true) return undefined
  const remedy = 'run one process, or use redisStore or postgresStore'
  return known === false
    ? `${kind} looks first and deletes after, so of several processes more than one can win: ${remedy}`
    : `${kind || 'this backend'} is not known to delete a key for one caller only; where it does not, of several processes more than one can win: ${remedy}`
}
