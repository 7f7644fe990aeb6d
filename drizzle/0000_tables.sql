CREATE TABLE "account_events" (
	"org_id" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"waba_id" text NOT NULL,
	"field" text NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"payload" json NOT NULL,
	CONSTRAINT "account_events_pkey" PRIMARY KEY("org_id","digest")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"org_id" text NOT NULL,
	"key" text NOT NULL,
	"request_digest" "bytea" NOT NULL,
	"status" smallint,
	"body" json,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("org_id","key")
);
--> statement-breakpoint
CREATE TABLE "rate_limits" (
	"key" varchar(255) PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "chatroom_members" (
	"org_id" text NOT NULL,
	"chatroom_id" uuid NOT NULL,
	"user_id" text NOT NULL,
	"visible_from" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "chatroom_members_pkey" PRIMARY KEY("org_id","chatroom_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "chatrooms" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"contact_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"waba_phone_id" text NOT NULL,
	"display_name" text NOT NULL,
	"external_ref_id" text,
	"history_visible" boolean DEFAULT true NOT NULL,
	"state" text GENERATED ALWAYS AS (case when expired_at is not null then 'expired' when deactivated_at is not null then 'deactivated' else 'active' end) STORED NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"activated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_inbound_at" timestamp (3) with time zone,
	"deactivated_at" timestamp (3) with time zone,
	"deactivation_reason" text,
	"expired_at" timestamp (3) with time zone,
	"pending_user_id" text,
	"assigned_user_id" text,
	"last_auto_reply_at" timestamp (3) with time zone,
	"activity_day" date GENERATED ALWAYS AS ((greatest(last_inbound_at, activated_at) at time zone 'UTC')::date) STORED NOT NULL,
	CONSTRAINT "chatrooms_pkey" PRIMARY KEY("org_id","id"),
	CONSTRAINT "chatrooms_whose" UNIQUE("org_id","id","customer_id","waba_phone_id"),
	CONSTRAINT "chatrooms_deactivation_reason_known" CHECK ("chatrooms"."deactivation_reason" in ('LEAD_OPTED_OUT', 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED', 'FORCE_DEACTIVATE'))
);
--> statement-breakpoint
CREATE TABLE "contact_wabas" (
	"org_id" text NOT NULL,
	"contact_id" uuid NOT NULL,
	"waba_phone_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "contact_wabas_pkey" PRIMARY KEY("org_id","contact_id")
);
--> statement-breakpoint
CREATE TABLE "contacts" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"crm_id" text NOT NULL,
	"phone" text,
	"first_name" text,
	"last_name" text,
	"opt_in_date" timestamp (3) with time zone,
	"governance_level_id" text,
	"is_inbound" boolean DEFAULT false NOT NULL,
	"is_affiliate" boolean DEFAULT false NOT NULL,
	"source" text,
	"stage" text,
	"disposition" text,
	"additional_fields" json,
	"expired_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "contacts_pkey" PRIMARY KEY("org_id","id"),
	CONSTRAINT "contacts_crm_id" UNIQUE("org_id","crm_id"),
	CONSTRAINT "contacts_whose" UNIQUE("org_id","id","customer_id"),
	CONSTRAINT "contacts_phone_e164" CHECK ("contacts"."phone" ~ '^\+[1-9][0-9]{1,14}$')
);
--> statement-breakpoint
CREATE TABLE "customer_aliases" (
	"org_id" text NOT NULL,
	"kind" text NOT NULL,
	"value" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "customer_aliases_pkey" PRIMARY KEY("org_id","kind","value"),
	CONSTRAINT "customer_aliases_kind_known" CHECK ("customer_aliases"."kind" in ('phone', 'wa_id', 'bsuid', 'parent_bsuid')),
	CONSTRAINT "customer_aliases_value_present" CHECK ("customer_aliases"."value" <> '')
);
--> statement-breakpoint
CREATE TABLE "customers" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"profile_name" text,
	"merged_into" uuid,
	"opted_out_at" timestamp (3) with time zone,
	"preference_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "customers_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"actor" text NOT NULL,
	"reason" text,
	"customer_id" uuid,
	"contact_id" uuid,
	"chatroom_id" uuid,
	"wamid" text,
	"before" json,
	"after" json,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "events_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "inbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"body" "bytea" NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'new' NOT NULL,
	"due_at" timestamp (3) with time zone DEFAULT now() + interval '30 seconds' NOT NULL,
	"requeues" smallint DEFAULT 0 NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"parked_for" text,
	"error" text,
	CONSTRAINT "inbox_state_known" CHECK ("inbox"."state" in ('new', 'parked', 'dead')),
	CONSTRAINT "inbox_parked_for_something" CHECK (("inbox"."state" = 'parked') = ("inbox"."parked_for" is not null)),
	CONSTRAINT "inbox_dead_for_a_reason" CHECK ("inbox"."state" <> 'dead' or "inbox"."error" is not null)
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"org_id" text NOT NULL,
	"wamid" text NOT NULL,
	"waba_phone_id" text NOT NULL,
	"customer_id" uuid,
	"chatroom_id" uuid,
	"direction" text NOT NULL,
	"type" text NOT NULL,
	"sent_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"seq" bigint NOT NULL,
	"route" text,
	"reason" text NOT NULL,
	"candidates" json,
	"wa_id" text,
	"user_id" text,
	"status" text,
	"status_at" timestamp (3) with time zone,
	"errors" json,
	"payload" json NOT NULL,
	"contact" json,
	CONSTRAINT "messages_pkey" PRIMARY KEY("org_id","wamid"),
	CONSTRAINT "messages_direction_known" CHECK ("messages"."direction" in ('in', 'out', 'echo')),
	CONSTRAINT "messages_route_known" CHECK ("messages"."route" in ('active', 'reactivated', 'expired', 'held', 'created'))
);
--> statement-breakpoint
CREATE TABLE "orgs" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"inactivity_days" integer,
	"expiry_days" integer,
	"auto_reply_text" text,
	"auto_reply_min_interval_seconds" integer DEFAULT 0 NOT NULL,
	"unknown_sender" text DEFAULT 'hold' NOT NULL,
	"room_history_visible" boolean DEFAULT true NOT NULL,
	"deactivate_on_opt_out" boolean DEFAULT false NOT NULL,
	"delegate_user_id" text,
	"delegate_group_id" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "orgs_inactivity_days_positive" CHECK ("orgs"."inactivity_days" > 0),
	CONSTRAINT "orgs_expiry_days_positive" CHECK ("orgs"."expiry_days" > 0),
	CONSTRAINT "orgs_auto_reply_interval_not_negative" CHECK ("orgs"."auto_reply_min_interval_seconds" >= 0),
	CONSTRAINT "orgs_unknown_sender_known" CHECK ("orgs"."unknown_sender" in ('hold', 'create')),
	CONSTRAINT "orgs_one_delegate" CHECK (num_nonnulls("orgs"."delegate_user_id", "orgs"."delegate_group_id") <= 1)
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"chatroom_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"waba_phone_id" text NOT NULL,
	"in_reply_to" text,
	"payload" json NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"claimed_at" timestamp (3) with time zone,
	"wamid" text,
	"error" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_pkey" PRIMARY KEY("org_id","id"),
	CONSTRAINT "outbox_kind_known" CHECK ("outbox"."kind" in ('auto_reply', 'message')),
	CONSTRAINT "outbox_state_known" CHECK ("outbox"."state" in ('queued', 'sending', 'sent', 'failed', 'unknown')),
	CONSTRAINT "outbox_auto_reply_answers" CHECK ("outbox"."kind" <> 'auto_reply' or "outbox"."in_reply_to" is not null)
);
--> statement-breakpoint
CREATE TABLE "group_members" (
	"org_id" text NOT NULL,
	"group_id" text NOT NULL,
	"user_id" text NOT NULL,
	"last_assigned_at" timestamp (3) with time zone,
	CONSTRAINT "group_members_pkey" PRIMARY KEY("org_id","group_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"org_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "groups_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"org_id" text NOT NULL,
	"id" text NOT NULL,
	"email" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
CREATE TABLE "meta_objects" (
	"kind" text NOT NULL,
	"id" text NOT NULL,
	"org_id" text NOT NULL,
	CONSTRAINT "meta_objects_pkey" PRIMARY KEY("kind","id"),
	CONSTRAINT "meta_objects_kind_known" CHECK ("meta_objects"."kind" in ('phone', 'waba'))
);
--> statement-breakpoint
CREATE TABLE "waba_phones" (
	"org_id" text NOT NULL,
	"id" text NOT NULL,
	"waba_id" text NOT NULL,
	"display_phone_number" text NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"stopped_at" timestamp (3) with time zone,
	"stopped_reason" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "waba_phones_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
CREATE TABLE "wabas" (
	"org_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"matrix_host_name" text,
	"access_token" "bytea",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "wabas_pkey" PRIMARY KEY("org_id","id")
);
--> statement-breakpoint
ALTER TABLE "chatroom_members" ADD CONSTRAINT "chatroom_members_chatroom_fkey" FOREIGN KEY ("org_id","chatroom_id") REFERENCES "public"."chatrooms"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chatroom_members" ADD CONSTRAINT "chatroom_members_user_fkey" FOREIGN KEY ("org_id","user_id") REFERENCES "public"."users"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chatrooms" ADD CONSTRAINT "chatrooms_belong_to_their_contacts_customer" FOREIGN KEY ("org_id","contact_id","customer_id") REFERENCES "public"."contacts"("org_id","id","customer_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chatrooms" ADD CONSTRAINT "chatrooms_phone_fkey" FOREIGN KEY ("org_id","waba_phone_id") REFERENCES "public"."waba_phones"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_wabas" ADD CONSTRAINT "contact_wabas_contact_fkey" FOREIGN KEY ("org_id","contact_id") REFERENCES "public"."contacts"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_wabas" ADD CONSTRAINT "contact_wabas_phone_fkey" FOREIGN KEY ("org_id","waba_phone_id") REFERENCES "public"."waba_phones"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_customer_fkey" FOREIGN KEY ("org_id","customer_id") REFERENCES "public"."customers"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_aliases" ADD CONSTRAINT "customer_aliases_customer_fkey" FOREIGN KEY ("org_id","customer_id") REFERENCES "public"."customers"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customers" ADD CONSTRAINT "customers_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_land_with_their_own_sender_and_number" FOREIGN KEY ("org_id","chatroom_id","customer_id","waba_phone_id") REFERENCES "public"."chatrooms"("org_id","id","customer_id","waba_phone_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_chatroom_fkey" FOREIGN KEY ("org_id","chatroom_id","customer_id","waba_phone_id") REFERENCES "public"."chatrooms"("org_id","id","customer_id","waba_phone_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_group_fkey" FOREIGN KEY ("org_id","group_id") REFERENCES "public"."groups"("org_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_user_fkey" FOREIGN KEY ("org_id","user_id") REFERENCES "public"."users"("org_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meta_objects" ADD CONSTRAINT "meta_objects_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "waba_phones" ADD CONSTRAINT "waba_phones_waba_fkey" FOREIGN KEY ("org_id","waba_id") REFERENCES "public"."wabas"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "wabas" ADD CONSTRAINT "wabas_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_events_received" ON "account_events" USING btree ("org_id","received_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "chatroom_members_user" ON "chatroom_members" USING btree ("org_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "chatrooms_one_active" ON "chatrooms" USING btree ("org_id","customer_id","waba_phone_id") WHERE expired_at is null and deactivated_at is null;--> statement-breakpoint
CREATE INDEX "chatrooms_customer" ON "chatrooms" USING btree ("org_id","customer_id","waba_phone_id");--> statement-breakpoint
CREATE INDEX "chatrooms_to_deactivate" ON "chatrooms" USING btree ("org_id","activity_day","id") WHERE expired_at is null and deactivated_at is null;--> statement-breakpoint
CREATE INDEX "chatrooms_assigned" ON "chatrooms" USING btree ("org_id","assigned_user_id") WHERE assigned_user_id is not null and expired_at is null and deactivated_at is null;--> statement-breakpoint
CREATE INDEX "chatrooms_pending" ON "chatrooms" USING btree ("org_id","pending_user_id") WHERE pending_user_id is not null and expired_at is null and deactivated_at is null;--> statement-breakpoint
CREATE INDEX "chatrooms_contact" ON "chatrooms" USING btree ("org_id","contact_id","created_at");--> statement-breakpoint
CREATE INDEX "contacts_customer" ON "contacts" USING btree ("org_id","customer_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "contacts_one_affiliate" ON "contacts" USING btree ("org_id","customer_id") WHERE is_affiliate;--> statement-breakpoint
CREATE INDEX "contacts_to_expire" ON "contacts" USING btree ("org_id","created_at","id") WHERE expired_at is null;--> statement-breakpoint
CREATE INDEX "customer_aliases_customer" ON "customer_aliases" USING btree ("org_id","customer_id");--> statement-breakpoint
CREATE INDEX "events_chatroom" ON "events" USING btree ("org_id","chatroom_id","id");--> statement-breakpoint
CREATE INDEX "events_contact" ON "events" USING btree ("org_id","contact_id","id");--> statement-breakpoint
CREATE INDEX "events_customer" ON "events" USING btree ("org_id","customer_id","id");--> statement-breakpoint
CREATE INDEX "inbox_due" ON "inbox" USING btree ("due_at") WHERE state = 'new';--> statement-breakpoint
CREATE INDEX "inbox_parked" ON "inbox" USING btree ("parked_for","id") WHERE state = 'parked';--> statement-breakpoint
CREATE INDEX "inbox_dead" ON "inbox" USING btree ("id") WHERE state = 'dead';--> statement-breakpoint
CREATE INDEX "messages_chatroom" ON "messages" USING btree ("org_id","chatroom_id","sent_at","seq");--> statement-breakpoint
CREATE INDEX "messages_held" ON "messages" USING btree ("org_id","customer_id","waba_phone_id","sent_at","seq") WHERE route = 'held' and chatroom_id is null;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_one_auto_reply" ON "outbox" USING btree ("org_id","in_reply_to") WHERE kind = 'auto_reply';--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("due_at") WHERE state in ('queued', 'sending');--> statement-breakpoint
CREATE INDEX "outbox_pair" ON "outbox" USING btree ("org_id","customer_id","waba_phone_id","claimed_at");--> statement-breakpoint
CREATE INDEX "outbox_chatroom" ON "outbox" USING btree ("org_id","chatroom_id");--> statement-breakpoint
CREATE INDEX "group_members_user" ON "group_members" USING btree ("org_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email" ON "users" USING btree ("org_id",lower("email"));--> statement-breakpoint
CREATE INDEX "meta_objects_org" ON "meta_objects" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "waba_phones_waba" ON "waba_phones" USING btree ("org_id","waba_id");