import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/db/embedded/server.ts'
import { atEndOf } from './at-end.ts'
import { eventually } from './patience.ts'
import { findProgram } from './programs.ts'
import { spawnWatched } from './watched.ts'

/** Path of the `pgbouncer` on this machine, undefined when there is none. */
export const findPgBouncer = () => findProgram('pgbouncer')

/** Whether the installed PgBouncer keeps prepared statements in transaction mode, as 1.21 and newer do. */
export function keepsPreparedStatements(): boolean {
  const program = findPgBouncer()
  if (program === undefined) return false
  const [, major, minor] =
    /PgBouncer (\d+)\.(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []
  return Number(major) > 1 || Number(minor) >= 21
}

/**
 * Starts PgBouncer in front of the server of a database, until the end of the test, and gives the database's URL through
 * it. All but its address and its users is its default configuration, unless `settings` say otherwise.
 */
export async function startPgBouncer(
  databaseUrl: string,
  settings: Record<string, string> = {},
): Promise<string> {
  const target = new URL(databaseUrl)
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'usher-pgbouncer-'))
  // As root, PgBouncer runs as another user, who must be able to read its files.
  await chmod(folder, 0o755)
  const users = join(folder, 'userlist.txt')
  await writeFile(
    users,
    `"${decodeURIComponent(target.username)}" "${decodeURIComponent(target.password)}"\n`,
  )
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_file: users,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  const file = join(folder, 'pgbouncer.ini')
  const server = `* = host=${target.hostname} port=${target.port}`
  await writeFile(file, ['[databases]', server, '[pgbouncer]', ...lines, ''].join('\n'))
  const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const bouncer = spawnWatched(findPgBouncer() ?? '', [...asNobody, file])
  let output = ''
  for (const stream of [bouncer.stdout, bouncer.stderr]) stream.on('data', (chunk) => (output += chunk))
  const exited = once(bouncer, 'exit')
  atEndOf('test', async () => {
    bouncer.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true })
  })
  await Promise.race([
    answering(port),
    exited.then(() => Promise.reject(new Error(`pgbouncer ended:\n${output}`))),
  ])
  return Object.assign(new URL(databaseUrl), { port: String(port) }).href
}

async function answering(port: number): Promise<void> {
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
    } finally {
      socket.destroy()
    }
  })
}
