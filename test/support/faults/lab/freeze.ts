import { whenGone } from '../../watched.ts'

/**
 * Stops processes until the function it gives is called, or until this process ends, even by SIGKILL: a server that
 * stayed frozen could not be stopped by its keeper, and would run for ever.
 */
export function freezeProcesses(pids: number[]): () => void {
  const watcher = whenGone(`kill -CONT ${pids.join(' ')}`)
  for (const pid of pids) signal(pid, 'SIGSTOP')
  return () => {
    for (const pid of pids) signal(pid, 'SIGCONT')
    watcher.cancel()
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
