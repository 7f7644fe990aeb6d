CREATE TABLE "webhook_attempts" (
	"org_id" text NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "webhook_attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"outcome" text NOT NULL,
	"status" integer,
	"error" text,
	"duration_ms" integer NOT NULL,
	"answer" text,
	CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY("org_id","endpoint_id","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"slot" smallint NOT NULL,
	"url" text NOT NULL,
	"types" text[],
	"description" text,
	"enabled" boolean NOT NULL,
	"disabled_at" timestamp (3) with time zone,
	"disabled_reason" text,
	"include_content" boolean NOT NULL,
	"on_rejection" text NOT NULL,
	"secret" "bytea" NOT NULL,
	"old_secret" "bytea",
	"old_secret_until" timestamp (3) with time zone,
	"position" bigint NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"paused_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY("org_id","id"),
	CONSTRAINT "webhook_endpoints_at_most_ten" CHECK ("webhook_endpoints"."slot" between 1 and 10),
	CONSTRAINT "webhook_endpoints_on_rejection_known" CHECK ("webhook_endpoints"."on_rejection" in ('skip', 'wait')),
	CONSTRAINT "webhook_endpoints_disabled_is_off" CHECK (not "webhook_endpoints"."enabled" or "webhook_endpoints"."disabled_at" is null)
);
--> statement-breakpoint
CREATE TABLE "webhook_lanes" (
	"org_id" text NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"lane" smallint NOT NULL,
	"position" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"lease_id" uuid,
	"failures" integer DEFAULT 0 NOT NULL,
	"rejections" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"held_at" timestamp (3) with time zone,
	"ends_at" timestamp (3) with time zone,
	CONSTRAINT "webhook_lanes_pkey" PRIMARY KEY("org_id","endpoint_id","lane")
);
--> statement-breakpoint
CREATE TABLE "webhook_skips" (
	"org_id" text NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"position" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"type" text NOT NULL,
	"reason" text NOT NULL,
	"skipped_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_skips_pkey" PRIMARY KEY("org_id","endpoint_id","seq")
);
--> statement-breakpoint
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_endpoint_fkey" FOREIGN KEY ("org_id","endpoint_id") REFERENCES "public"."webhook_endpoints"("org_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_lanes" ADD CONSTRAINT "webhook_lanes_endpoint_fkey" FOREIGN KEY ("org_id","endpoint_id") REFERENCES "public"."webhook_endpoints"("org_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_skips" ADD CONSTRAINT "webhook_skips_endpoint_fkey" FOREIGN KEY ("org_id","endpoint_id") REFERENCES "public"."webhook_endpoints"("org_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_endpoints_slot" ON "webhook_endpoints" USING btree ("org_id","slot");--> statement-breakpoint
CREATE INDEX "webhook_lanes_due" ON "webhook_lanes" USING btree ("due_at") WHERE held_at is null;