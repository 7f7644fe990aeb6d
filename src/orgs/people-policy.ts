/** What all endpoints of users and groups have in common. */
export const READING = { role: 'ADMIN', impersonated: true, partner: true } as const
export const WRITING = { role: 'ADMIN', impersonated: false, partner: true } as const
export const PEOPLE_ERRORS = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
  503: 'The clock of this server is wrong',
}
