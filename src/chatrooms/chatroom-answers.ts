import type { z } from 'zod'
import type { ChatroomView } from './read-chatroom.ts'
import type { ChatroomDetailDto, ChatroomRespDto, WabaChatroomRespDto } from './schemas.ts'

/**
 * A chatroom as ChatroomRespDto; unknown values are left out. `user_id` is the user of the last assignment: the user
 * whose handover is pending, else the chatroom's first user.
 */
export function toChatroomResp(view: ChatroomView, isExisting: boolean): z.input<typeof ChatroomRespDto> {
  return { ...common(view, isExisting), user_id: view.pending_user_id ?? view.users[0] }
}

/** A chatroom with its WABA as WabaChatroomRespDto. */
export function toWabaChatroomResp(view: ChatroomView): z.input<typeof WabaChatroomRespDto> {
  const { remote_waba_id, waba_name: name, matrix_host_name: host } = view
  return { ...common(view, true), waba: { remote_waba_id, name, matrix_host_name: host ?? undefined } }
}

/** A chatroom as ChatroomDetailDto. */
export function toChatroomDetail(view: ChatroomView): z.input<typeof ChatroomDetailDto> {
  const { contact_id, remote_waba_id, remote_phone_id, display_name, state, users } = view
  const last_inbound_at = view.last_inbound_at?.toISOString() ?? null
  const own = { contact_id, remote_waba_id, remote_phone_id, display_name, state, last_inbound_at, users }
  return { ...toChatroomResp(view, true), ...own }
}

function common(view: ChatroomView, isExisting: boolean) {
  const { chatroom_id, external_ref_id, is_deactivated, is_expired, expiry_ts, deactivation_ts } = view
  return {
    chatroom_id,
    external_ref_id: external_ref_id ?? undefined,
    is_existing: isExisting,
    is_deactivated,
    is_expired,
    expiry_ts: expiry_ts?.toISOString(),
    deactivation_ts: deactivation_ts?.toISOString(),
  }
}
