/**
 * Backends of Keyv, by the name of their class: does their `delete` tell one caller only that the key was there?
 * As read in the source of @keyv/redis 5.1, @keyv/valkey 1.0, @keyv/mongo 3.1, @keyv/etcd 2.1, @keyv/memcache 2.0 and
 * @keyv/dynamo 1.2 (one command that says what it removed); @keyv/postgres 2.2, @keyv/mysql 2.1 and @keyv/sqlite 4.0
 * (look first, delete after).
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

/** What this kind of backend cannot promise, and what to do about it. `undefined`: there is nothing to warn of. */
export function warningAbout(kind: string): string | undefined {
  const known = deleteHasOneWinner[kind]
  if (known === true) return undefined
  const problem =
    known === false
      ? `${kind} looks first and deletes after, so`
      : `${kind || 'this backend'} is not known to delete a key for one caller only; where it does not,`
  return `${problem} of several processes more than one can win: run one process, or use redisStore or postgresStore`
}
