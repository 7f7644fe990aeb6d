import { ApiError, type ErrorName } from '../errors.ts'

/** Thrown when orgs, or parts of them, cannot be provisioned. The message says why, for people; nothing has changed then. */
export class ProvisionError extends ApiError {
  override name = 'ProvisionError'

  constructor(error: ErrorName, description: string) {
    super(error, description)
  }
}
