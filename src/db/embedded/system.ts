import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)

/** The numeric ids of a system user and its group. */
export type Account = { uid: number; gid: number }

/**
 * Runs a program to its end, as the system user `account` if one is given, and resolves with its output.
 * @throws Error when the program cannot be started; Error with its output when it fails.
 */
export async function run(program: string, args: string[], account?: Account): Promise<string> {
  const { stdout } = await execFileAsync(program, args, { ...account, cwd: '/' })
  return stdout.trim()
}

/**
 * The system user that must run PostgreSQL, which refuses to run as root: `postgres`, which is created if it is missing.
 * Undefined when this process does not run as root; PostgreSQL then runs as the same user.
 * @throws Error when the user neither exists nor can be created.
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
  // Another process may have created the user at the same moment, which makes this attempt fail harmlessly.
  const made = await findAccount()
  if (made) return made
  throw new Error(
    'PostgreSQL does not run as root, and the system user "postgres" could not be created. ' +
      'Start Usher as an ordinary user, or set DATABASE_URL.',
    { cause: failure },
  )
}

/** Whether `account` may enter the folder, or execute the file, at `path`. */
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
