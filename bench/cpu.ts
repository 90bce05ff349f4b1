import { readdirSync, readFileSync } from 'node:fs'

/** Fields of `/proc/<pid>/stat` behind the name, which may hold anything. */
function statOf(pid: number | string): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
}

/** Seconds of CPU, user and system, of all threads of a process. Linux counts them in hundredths. */
export function cpuOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** As `cpuOf`, with the processes that this one has started: PostgreSQL has one for each session. */
export function cpuOfFamily(pid: number): number {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return [pid, ...children.map(Number)].reduce((sum, each) => sum + cpuOf(each), 0)
}

function parentOf(pid: string): number {
  try {
    return Number(statOf(pid)[1])
  } catch {
    return 0 // it has ended meanwhile
  }
}
