import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)

/** Numeric ids of a system user. */
export type Account = { uid: number; gid: number }

/**
 * Runs a program to its end, as `account` if one is given, and returns what it printed.
 * @throws Error when it cannot be started, or with its output when it fails.
 */
export async function run(program: string, args: string[], account?: Account): Promise<string> {
  const { stdout } = await execFileAsync(program, args, { ...account, cwd: '/' })
  return stdout.trim()
}

/**
 * The account PostgreSQL must run under, since it refuses to run as root: the system user `postgres`, made
 * when it is missing. Undefined when we are not root: then it runs as we do.
 * @throws Error when the user can neither be found nor made.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const known = await findAccount()
  if (known) return known
  let failure: unknown
  try {
    await run('groupadd', ['--system', '--force', 'postgres'])
    await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', 'postgres'])
  } catch (error) {
    failure = error
  }
  // Another process may have made the user just now: then ours failed, and all is well.
  const made = await findAccount()
  if (made) return made
  throw new Error(
    'PostgreSQL does not run as root, and the system user "postgres" could not be made. ' +
      'Start Usher as an ordinary user, or set DATABASE_URL.',
    { cause: failure },
  )
}

/** True when `account` may use `path`: enter it if it is a folder, execute it if it is a file. */
export async function canReach(path: string, account: Account): Promise<boolean> {
  return run('test', ['-x', path], account).then(
    () => true,
    () => false,
  )
}

async function findAccount(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
    return { uid: Number(uid), gid: Number(gid) }
  } catch {
    return undefined
  }
}
