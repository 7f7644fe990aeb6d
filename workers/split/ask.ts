import type { ChildProcess } from 'node:child_process'
import { within } from '../../src/deadline.ts'
import type { Answer, Answers, Question } from './messages.ts'

/** @throws Error when the process does not answer within a second */
export type Ask = <About extends keyof Answers>(about: About) => Promise<Answers[About]>

const ANSWERED_WITHIN_MS = 1_000

/** Creates the function that asks a child process, which answers with `answerParent`. */
export function createAsk(child: ChildProcess): Ask {
  const waiting = new Map<number, (answer: unknown) => void>()
  let last = 0
  child.on('message', ({ id, answer }: Answer) => waiting.get(id)?.(answer))
  return async <About extends keyof Answers>(about: About) => {
    const id = ++last
    const asked = () =>
      new Promise<Answers[About]>((resolve, reject) => {
        waiting.set(id, (answer) => resolve(answer as Answers[About]))
        const question: Question = { id, about }
        child.send(question, (error) => error && reject(error))
      })
    try {
      return await within(ANSWERED_WITHIN_MS, asked)
    } finally {
      waiting.delete(id)
    }
  }
}
