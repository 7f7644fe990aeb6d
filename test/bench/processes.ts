import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'
import { SECRET } from './requests.ts'

/** A process under test: the name of its figures, and where it listens, if it does. */
export type Process = {
  name: string
  pid: number
  port: number | undefined
  opsUrl: string | undefined
  stop(): Promise<void>
}

const STOP_MS = 10_000

const living = new Set<ChildProcess>()

// No process is left behind when the benchmark crashes.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Stops whatever is still running. */
export async function stopProcesses(): Promise<void> {
  await Promise.all([...living].map(end))
}

/** Starts a role of Usher as users do: from `dist`, with production settings, without this process's environment. */
export function startUsher(
  role: 'all' | 'server' | 'workers',
  env: Record<string, string>,
): Promise<Process> {
  const name = role === 'all' ? 'usher' : role
  return start(name, [join(projectRoot(), 'dist/workers/main.js'), role], {
    ...{ META_APP_SECRET: SECRET, META_VERIFY_TOKEN: 'word', HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' },
    ...env,
  })
}

/** Starts a file of this folder, built. It prints `{"msg":"up","url":...}` when it is ready. */
export function startScript(name: string, file: string, env: Record<string, string>): Promise<Process> {
  return start(name, [join(import.meta.dirname, file)], env)
}

async function start(name: string, args: string[], env: Record<string, string>): Promise<Process> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, args, {
    cwd: projectRoot(),
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  living.add(child)
  child.once('exit', () => living.delete(child))
  const stop = () => end(child)
  try {
    const { url, opsUrl } = await up(name, child)
    return { name, pid: child.pid ?? 0, port: url ? Number(new URL(url).port) : undefined, opsUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function up(name: string, child: ChildProcess): Promise<{ url?: string; opsUrl?: string }> {
  let text = ''
  const exited = once(child, 'exit')
  // The output is read to its end, so that a full pipe never blocks the process; only errors are kept.
  child.stdout?.on('data', (chunk) => {
    text = (text + chunk).slice(-20_000)
  })
  child.stderr?.on('data', (chunk) => {
    text = (text + chunk).slice(-20_000)
  })
  for (;;) {
    const line = /^\{.*"msg":"(Usher is )?up".*$/m.exec(text)
    if (line) return JSON.parse(line[0])
    if (child.exitCode !== null) throw new Error(`${name} did not start:\n${text}`)
    await Promise.race([child.stdout && once(child.stdout, 'data'), exited])
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(timer)
}
