/** Thrown by `within`; says how long was waited. */
class DeadlineError extends Error {
  override name = 'DeadlineError'
}

/**
 * Runs `work` and passes its outcome on if it comes within `ms` milliseconds. Later outcomes are dropped; the
 * work itself is not stopped.
 * @throws DeadlineError when the time is over.
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
