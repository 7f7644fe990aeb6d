import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'

/** A process whose costs are measured; with `withChildren` its children are measured too (PostgreSQL's backends). */
export type Metered = { name: string; pid: number; withChildren?: boolean }

/** CPU seconds of each process, by name; null on systems without /proc. */
export type Cpu = Record<string, number> | null

const TICKS_PER_SECOND = 100

type Stat = { parent: number; ticks: number; ofDead: number }

/** CPU seconds (user and system) that each of them has used since it began. */
export function readCpu(processes: Metered[]): Cpu {
  const own = processes.map(({ pid }) => readStat(pid))
  if (own.some((stat) => stat === undefined)) return null
  const children = processes.some((p) => p.withChildren) ? allStats() : []
  return Object.fromEntries(
    processes.map(({ name, pid, withChildren }, i) => {
      const living = withChildren ? children.filter((c) => c.parent === pid) : []
      const ticks = living.reduce((sum, c) => sum + c.ticks, own[i]?.ticks ?? 0) + (own[i]?.ofDead ?? 0)
      return [name, ticks / TICKS_PER_SECOND]
    }),
  )
}

/** The CPU seconds used between two readings. */
export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  if (before === null || after === null) return null
  return Object.fromEntries(Object.entries(after).map(([name, s]) => [name, s - (before[name] ?? 0)]))
}

/** Largest resident memory so far, in MB, of the processes without children. */
export function readPeakMemory(processes: Metered[]): Record<string, number> | null {
  try {
    return Object.fromEntries(
      processes
        .filter((p) => !p.withChildren)
        .map(({ name, pid }) => {
          const status = readFileSync(`/proc/${pid}/status`, 'utf8')
          return [name, Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024)]
        }),
    )
  } catch {
    return null
  }
}

/** The place in the write-ahead log, in bytes. */
export async function readWal(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as at`)
  return Number(rows[0].at)
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may contain anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (i: number) => Number(fields[i - 3])
    return { parent: field(4), ticks: field(14) + field(15), ofDead: field(16) + field(17) }
  } catch {
    return undefined
  }
}

function allStats(): Stat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => readStat(Number(pid))).filter((stat) => stat !== undefined)
}
