/** Steps that release what was started; the last one added runs first. */
export type Cleanup = {
  add(step: () => unknown): void
  /** Runs every step, also when one fails, and throws the first error at the end. */
  run(): Promise<void>
}

export function createCleanup(): Cleanup {
  const steps: (() => unknown)[] = []
  return {
    add: (step) => void steps.unshift(step),
    async run() {
      const errors: unknown[] = []
      for (const step of steps.splice(0)) {
        try {
          await step()
        } catch (error) {
          errors.push(error)
        }
      }
      if (errors.length > 0) throw errors[0]
    },
  }
}
