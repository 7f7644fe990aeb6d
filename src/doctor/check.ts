/** What one look at the installation found. `remedy` says what to do, unless all is well. No text has a secret in it. */
export type Check = {
  name: string
  status: 'ok' | 'warning' | 'failed'
  found: string
  remedy?: string
}

/** All is well. */
export const fine = (name: string, found: string): Check => ({ name, status: 'ok', found })

/** It works, but something is better changed. */
export const warn = (name: string, found: string, remedy: string): Check => ({
  name,
  status: 'warning',
  found,
  remedy,
})

/** It does not work. */
export const fail = (name: string, found: string, remedy: string): Check => ({
  name,
  status: 'failed',
  found,
  remedy,
})

/** The code of an error, or of the one that caused it: it says what is wrong, and never has an address or a value in it. */
export function codeOf(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as Error & { code?: unknown }
    if (typeof code === 'string') return code
  }
  return error instanceof Error ? error.name : 'unknown error'
}
