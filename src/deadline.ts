/** Thrown by `within`. The message says how long the caller waited. */
class DeadlineError extends Error {
  override name = 'DeadlineError'
}

/**
 * Runs `work` and passes its outcome on, if it comes within `ms` milliseconds. A later outcome is dropped; the work
 * itself is not stopped.
 * @throws DeadlineError when the time is over, or whatever `work` throws before that.
 */
export async function within<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no answer within ${Math.ceil(ms)} ms`)), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether `work` succeeds within `ms` milliseconds. Never rejects; the work itself is not stopped. */
export async function succeeds(ms: number, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await within(ms, work)
    return true
  } catch {
    return false
  }
}
