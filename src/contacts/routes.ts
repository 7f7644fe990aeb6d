import { z } from 'zod'
import { ApiError } from '../errors.ts'
import { defineEndpoint, type Endpoint } from '../http/endpoint.ts'
import { readCustomer } from '../identity/read-customer.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { contactsByPhone } from './contacts-by-phone.ts'
import { createContact } from './create-contact.ts'
import { toContactResp, toCustomer, toGetContactResp } from './present.ts'
import {
  ContactReqDto,
  ContactRespDto,
  CustomerDto,
  customerQuery,
  GetContactRespDto,
  UpdateContactDispositionReqV2Dto,
  UpdateContactReqDto,
} from './schemas.ts'
import { updateContact } from './update-contact.ts'
import { updateDisposition } from './update-disposition.ts'

const tags = ['contact-controller']
const unauthorized = 'Unauthorized - Authentication is required'
const invalid = 'Required fields are missing or invalid values are provided'

/** The contact endpoints. Paths, texts and statuses are those of the original API, word for word. */
export const contactEndpoints: Endpoint[] = [
  defineEndpoint({
    method: 'post',
    path: '/v2/org/{orgId}/contact',
    operationId: 'registerContactV2',
    summary: 'Create a contact',
    description: 'Error Codes : Error Message\n- 4030001 : FORBIDDEN\n- 4090001 : UQ_CONSTRAINT_FAILED',
    tags,
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    params: { orgId: foreignId },
    body: ContactReqDto,
    example: {
      body: {
        crm_id: 'lead-1',
        phone_number: { rawInput: '+919810000001' },
        opt_in_date: '2026-01-31T09:30:00Z',
        first_name: 'Ana',
      },
    },
    responses: { 200: { description: 'Successfully registered contact', schema: ContactRespDto } },
    errors: {
      401: unauthorized,
      403: 'User or Partner is not allowed to create a contact',
      409: 'Conflicting entry in DB',
      422: 'Invalid format or bad input',
      500: 'Internal Exception',
    },
    handler: async ({ db, org, actor, now, body }) => {
      const contact = await createContact(db, { orgId: org.id, contact: body, actor, now })
      return { status: 200, body: toContactResp(contact, org.expiryDays, now) }
    },
  }),

  defineEndpoint({
    method: 'put',
    path: '/v1/orgs/{orgId}/contact/{contactId}',
    operationId: 'updateContact',
    summary: 'Update a contact',
    description:
      'Update contact crmID, first name, last name and chatroom name will be automatically updated',
    tags,
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    params: { orgId: foreignId, contactId: ownId },
    body: UpdateContactReqDto,
    example: { body: { crm_id: 'lead-1', first_name: 'Ana', last_name: 'Rao' } },
    responses: { 200: { description: 'Successfully updated contact', schema: ContactRespDto } },
    errors: {
      400: 'Bad request',
      401: unauthorized,
      403: 'User does not belong to org',
      404: 'Contact not found',
      422: invalid,
      500: 'Failed to update contact due to internal error',
    },
    handler: async ({ db, org, actor, now, params: { contactId }, body: changes }) => {
      const contact = await updateContact(db, { org, contactId, changes, actor, now })
      return { status: 200, body: toContactResp(contact, org.expiryDays, now) }
    },
  }),

  defineEndpoint({
    method: 'put',
    path: '/v2/orgs/{orgId}/contact/{contactId}/disposition',
    operationId: 'updateContactDispositionV2',
    summary: 'Update disposition & stage for a contact',
    tags,
    policy: { role: 'ADMIN', impersonated: true, partner: true },
    params: { orgId: foreignId, contactId: ownId },
    body: UpdateContactDispositionReqV2Dto,
    example: { body: { stage: 'negotiation', disposition: 'interested' } },
    responses: { 200: { description: 'Successfully updated contact disposition', schema: z.string() } },
    errors: {
      400: 'Bad request',
      401: unauthorized,
      403: 'User does not belong to org',
      404: 'Contact not found',
      422: invalid,
      500: 'Failed to add contact disposition due to internal error',
    },
    handler: async ({ db, org, actor, now, params: { contactId }, body: changes }) => {
      await updateDisposition(db, { org, contactId, changes, actor, now })
      return { status: 200, body: 'Successfully updated contact disposition' }
    },
  }),

  defineEndpoint({
    method: 'get',
    path: '/v2/org/{orgId}/contact/pn/{phoneNumber}',
    operationId: 'getContactByPhoneV2',
    summary: 'Get Contact by Phone Number',
    description:
      'PhoneNumber should be in E164 format\n- The result will contain all contacts for a given pn.',
    tags,
    policy: { role: 'MEMBER', impersonated: true, partner: true },
    params: { orgId: foreignId, phoneNumber: foreignId.meta({ param: { description: 'e164 format' } }) },
    responses: {
      200: {
        description: 'Successfully responding with list of all contacts for a pn',
        schema: z.array(GetContactRespDto),
      },
    },
    errors: {
      401: unauthorized,
      403: "Forbidden - You don't have permission to access this resource",
      422: 'Phone Number not in the correct format or required fields are missing or invalid values are provided',
      500: 'Internal Server Error - Something went wrong on the server',
    },
    handler: async ({ db, org, now, params: { phoneNumber } }) => {
      const found = await contactsByPhone(db, org.id, phoneNumber)
      return { status: 200, body: found.map((contact) => toGetContactResp(contact, org.expiryDays, now)) }
    },
  }),

  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/customer',
    operationId: 'getCustomer',
    summary: 'Get a customer by phone or BSUID',
    description:
      'The customer that routing would find by the phone, in any spelling, or by the user_id\n- Shows all names and contacts',
    tags,
    policy: { role: 'MEMBER', impersonated: true, partner: true },
    params: { orgId: foreignId },
    query: customerQuery,
    example: { query: 'phone=%2B919810000001' },
    responses: { 200: { description: 'The customer', schema: CustomerDto } },
    errors: {
      401: unauthorized,
      403: "Forbidden - You don't have permission to access this resource",
      404: 'Nobody of this org has this phone or user_id',
      422: invalid,
      429: 'Too many requests of this org or this token',
      500: 'Internal Exception',
    },
    handler: async ({ db, org, now, query: { phone, user_id: userId } }) => {
      const found = await readCustomer(db, org.id, { phone, userId })
      if (!found) throw new ApiError('CUSTOMER_NOT_FOUND')
      return { status: 200, body: toCustomer(found, org.expiryDays, now) }
    },
  }),
]
