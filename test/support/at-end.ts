type End = () => unknown

const ends: Record<'test' | 'file', Set<End>> = { test: new Set(), file: new Set() }

/**
 * Registers what ends a server, a process or a database that must not outlive the running test or the test file. Works
 * in a test, in a hook and while the file is being loaded; all that is registered for a scope ends at the same time.
 */
export function atEndOf(scope: 'test' | 'file', end: End): void {
  ends[scope].add(end)
}

/** Ends everything registered for a scope. @throws the first error, when everything has ended or failed. */
export async function endAll(scope: 'test' | 'file'): Promise<void> {
  const all = [...ends[scope]]
  ends[scope].clear()
  const results = await Promise.allSettled(all.map(async (end) => end()))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
