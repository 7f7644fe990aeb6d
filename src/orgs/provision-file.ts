import { z } from 'zod'
import { ProvisionError } from './provision-error.ts'
import { givenTwice, mistakesOf } from './provision-mistakes.ts'
import { orgSchema, toWanted, type WantedOrg } from './provision-parts.ts'

const fileSchema = z.strictObject({ orgs: z.array(orgSchema).min(1) }).transform(({ orgs }, ctx) => {
  const twice = givenTwice(
    'org',
    orgs.map(({ id }) => id),
  )
  for (const message of twice) ctx.addIssue({ code: 'custom', path: ['orgs'], message })
  const wanted = orgs.map(toWanted)
  for (const [i, org] of wanted.entries())
    for (const message of mistakesOf(org)) ctx.addIssue({ code: 'custom', path: ['orgs', i], message })
  return wanted
})

/**
 * Parses and validates the text of a provision file.
 * @throws ProvisionError that names every mistake with its place in the file
 */
export function parseProvisionFile(text: string): WantedOrg[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ProvisionError(
      'INVALID_INPUT',
      `the file is not JSON: ${error instanceof Error ? error.message : error}`,
    )
  }
  const parsed = fileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((i) => `  ${i.path.join('.') || 'file'}: ${i.message}`)
  throw new ProvisionError('INVALID_INPUT', `the file cannot be applied:\n${lines.join('\n')}`)
}
