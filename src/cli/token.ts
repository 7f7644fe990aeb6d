import { Command, Option } from 'commander'
import { SignJWT } from 'jose'
import { type Config, ConfigError } from '../config.ts'
import { readConfig } from '../read-config.ts'
import { warnOfUnknownOrgs } from './warn-of-unknown-orgs.ts'

/** The claims of the token; `hours`: how long it is valid. */
export type TokenOptions = {
  org: string
  role: string
  user: string
  act?: string
  partner?: string
  hours: string
}

/** `token`: prints a development JWT, signed with the first secret of JWT_SECRET. */
export function tokenCommand(): Command {
  return new Command('token')
    .description(
      'print a development token for the API, or of an OPERATOR for the provisioning API, signed with JWT_SECRET',
    )
    .requiredOption('--org <id>', 'org; for a partner one or several, separated by commas')
    .addOption(new Option('--role <role>').choices(['ADMIN', 'MEMBER', 'OPERATOR']).makeOptionMandatory())
    .option('--user <id>', 'user id (claim sub)', 'developer')
    .option('--act <id>', 'user who impersonates --user (claim act.sub)')
    .option('--partner <id>', 'partner who may act for the given orgs')
    .option('--hours <n>', 'hours for which the token is valid', '12')
    .action(async (options: TokenOptions) => {
      const config = readConfig(process.env, 'cli')
      console.log(await mintToken(options, config.jwt))
      await warnOfUnknownOrgs(options.partner ? options.org.split(',') : [options.org], config)
    })
}

/**
 * Signs a token with the first of the secrets.
 * @throws ConfigError without a secret, or when `hours` is not a number above 0
 */
export async function mintToken(
  { org, role, user, act, partner, hours }: TokenOptions,
  jwt: Config['jwt'],
): Promise<string> {
  const [secret] = jwt.secrets
  if (!secret) throw new ConfigError('JWT_SECRET is required to sign a token: openssl rand -base64 48')
  if (!(Number(hours) > 0)) throw new ConfigError('--hours must be a number above 0')
  const orgs = partner ? { partner_id: partner, org_ids: org.split(',') } : { org_id: org }
  const token = new SignJWT({ role, ...orgs, ...(act && { act: { sub: act } }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(`${hours} hours`)
  if (jwt.issuer) token.setIssuer(jwt.issuer)
  if (jwt.audience) token.setAudience(jwt.audience)
  return token.sign(new TextEncoder().encode(secret))
}
