import { type Check, fail, fine, warn } from './check.ts'

/** The end of life of Node 20 was in April 2026 (nodejs.org, previous releases). */
const OLDEST_MAINTAINED = 22

/** Judges a version of Node, such as `v20.19.5`. */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    return fail('Node', version, 'install Node 24; Usher needs 20.19 or newer')
  if (major < OLDEST_MAINTAINED)
    return warn('Node', `${version}, whose end of life was in April 2026`, 'install Node 24')
  return fine('Node', version)
}
