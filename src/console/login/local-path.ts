const LOCAL = /^\/(?:console|queues|dead-letters)(?:[/?][^\\\p{Cc}]*)?$/u

/** Where a login leads to: `next` if it is a path of this listener that needs a login, else the console. */
export function localPath(next: unknown): string {
  return typeof next === 'string' && LOCAL.test(next) ? next : '/console'
}

/** The address of the login page that leads to `next`. */
export function loginPage(next: string): string {
  return `/login?${new URLSearchParams({ next })}`
}
