import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startServer, stopServer } from '../../src/db/embedded/server.ts'
import { run, serverAccount } from '../../src/db/embedded/system.ts'

const DEBIAN = '/usr/lib/postgresql'
const PROGRAMS = ['initdb', 'postgres', 'pg_ctl', 'pg_dump', 'pg_restore']
const PASSWORD = 'test'

/** The folder of a server with `pg_dump`, as Debian installs it; the npm package has none. Undefined where there is none. */
export function findPostgresPrograms(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined
  const folders = readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin'))
  return folders.find((bin) => PROGRAMS.every((name) => existsSync(join(bin, name))))
}

/** Starts an empty server of that installation; `stop` ends it and removes its files. */
export async function startDebianPostgres(bin: string): Promise<{ url: string; stop(): Promise<void> }> {
  const account = await serverAccount()
  const folder = await mkdtemp(join(tmpdir(), 'usher-debian-'))
  const [dataDir, password] = [join(folder, 'data'), join(folder, 'password')]
  await writeFile(password, PASSWORD)
  await chmod(folder, 0o755)
  if (account) for (const path of [folder, password]) await chown(path, account.uid, account.gid)
  const login = ['--username=usher', `--pwfile=${password}`, '--auth=scram-sha-256']
  await run(join(bin, 'initdb'), [`--pgdata=${dataDir}`, ...login, '--encoding=UTF8', '--no-sync'], account)
  const paths = { bin, dataDir, account }
  const port = await freePort()
  await startServer(paths, port)
  return {
    url: `postgres://usher:${PASSWORD}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await stopServer(paths)
      await rm(folder, { recursive: true })
    },
  }
}
