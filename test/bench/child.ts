import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A process of the benchmark that answers one message at a time. It ends when this process ends. */
export type Child<Ask, Answer> = { pid: number; ask(message: Ask): Promise<Answer>; stop(): Promise<void> }

type Failure = { failure: string }

/** Forks a file of this folder, built, which calls `answerParent`. */
export function startChild<Ask extends object, Answer>(file: string): Child<Ask, Answer> {
  const child = fork(join(import.meta.dirname, file), {
    execArgv: ['--max-old-space-size=4096'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const ended = exited.then((): never => {
    throw new Error(`${file} ended`)
  })
  ended.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    async ask(message) {
      child.send(message)
      const [answer] = await Promise.race([once(child, 'message'), ended])
      if ((answer as Failure).failure) throw new Error(`${file}: ${(answer as Failure).failure}`)
      return answer as Answer
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** For the child: answers every message of the parent with the result of `answer`, or with the text of its error. */
export function answerParent<Ask, Answer>(answer: (message: Ask) => Promise<Answer>): void {
  process.on('message', (message: Ask) => {
    answer(message).then(
      (result) => process.send?.(result),
      (error: Error) => process.send?.({ failure: error.stack ?? error.message } satisfies Failure),
    )
  })
  // A signal to the process group reaches the parent too. The child ends when the parent has ended.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.once('disconnect', () => process.exit(0))
}
