CREATE TABLE "webhook_refusals" (
	"reason" text PRIMARY KEY NOT NULL,
	"refused" bigint NOT NULL,
	"since" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_refusals_reason_known" CHECK ("webhook_refusals"."reason" in ('signature', 'handshake'))
);
